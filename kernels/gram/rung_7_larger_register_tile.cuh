// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/gram/rung_6_split_pixels.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

template <class T, int tile>
using GramLargerSum = GramRegisterSum<T, tile, 8, tile / 16>;

/// Rung 6 with 8×8 sums in a thread's registers, 8×4 in the tile of 64. Attacks the shared loads
/// that bound rung 6: 16 values for 64 multiply-adds in place of 8 for 16. Bound by multiply-adds
/// and by the two barriers of each slice: between them nothing is loaded, or nothing multiplied.
template <class T, int tile>
__global__ void __launch_bounds__(2 * tile, 2)
    gram_larger_register_tile_kernel(float* partials, const T* features, GramWork work) {
  gram_register_partials<GramLargerSum<T, tile>, tile>(partials, features, work);
}

struct GramLargerRegisterTile : GramTwoStages<GramLargerRegisterTile> {
  template <class T, int tile>
  static void launch_tiles(float* partials, const T* features, const GramPlan& plan,
                           const MapSize& size, simt::StreamHandle stream) {
    static_assert(GramLargerSum<T, tile>::threads == 2 * tile, "those of gram_grid");
    simt::launch(gram_larger_register_tile_kernel<T, tile>,
                 gram_grid("gram_larger_register_tile", plan, size), stream, partials, features,
                 gram_work(plan, size));
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
