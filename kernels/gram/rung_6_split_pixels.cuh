// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/gram/gram_sum.cuh"
#include "kernels/gram/rung_4_register_tile.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// The first stage with such a Sum: a block sums one tile over one split of the pixels.
template <class Sum, int tile, class T>
__device__ __forceinline__ void gram_register_partials(float* partials, const T* features,
                                                       const GramWork& work) {
  SIMT_SHARED(typename Sum::Slice, slices, [2]);
  const GramWorkTile place = gram_work_tile<tile>(work, blockIdx.x);
  const int C = work.channels;
  Sum sum;
  sum.add(slices[0], slices[place.row == place.column ? 0 : 1], features + place.first,
          place.pixels, C, place.row, place.column);
  float* partial = partials + place.partial;
  sum.each([&](int i, int j, float value) {
    if (place.row + i < C && place.column + j < C) partial[i * tile + j] = value;
  });
}

template <class T, int tile>
using GramSplitSum = GramRegisterSum<T, tile, 4, 4>;

/// Rung 5 with the sum over pixels cut into splits, enough to fill a GPU with blocks; a second
/// stage (gram_sum.cuh) adds them in a fixed order, and mirrors. Attacks the idle SMs of rung 5,
/// which has one block at C = 64 and 36 at 512, and the error of one running sum over all pixels.
/// The tile of 128, which the second stage takes from C = 65 on, has 1024 threads. Bound by shared
/// memory: a thread loads 32 bytes from it for 16 multiply-adds.
template <class T, int tile>
__global__ void __launch_bounds__(GramSplitSum<T, tile>::threads)
    gram_split_pixels_kernel(float* partials, const T* features, GramWork work) {
  gram_register_partials<GramSplitSum<T, tile>, tile>(partials, features, work);
}

struct GramSplitPixels : GramTwoStages<GramSplitPixels> {
  template <class T, int tile>
  static void launch_tiles(float* partials, const T* features, const GramPlan& plan,
                           const MapSize& size, simt::StreamHandle stream) {
    simt::Grid grid = gram_grid("gram_split_pixels", plan, size);
    grid.threads.x = GramSplitSum<T, tile>::threads;
    simt::launch(gram_split_pixels_kernel<T, tile>, grid, stream, partials, features,
                 gram_work(plan, size));
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
