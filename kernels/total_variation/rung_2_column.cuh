// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/total_variation/variation_columns.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Attacks rung 1's loads: of the values above, below and its own a thread loads one.
///
/// A block takes 128 neighbouring values of 8 rows, a thread one of them and walks down, so that
/// the value above and its own are in registers and only the one below is new; those to the left
/// and right come from cache. A warp reads 128 bytes in a row whatever C is, so there is nothing
/// that packs would add. Bound by memory: 12 bytes moved and 11 FLOP per value. A thread adds its
/// few squares in float, everything above that in double.
template <bool with_gradient>
__global__ void __launch_bounds__(variation_threads)
    total_variation_kernel(double* block_sums, float* grad_pixels, const float* pixels,
                           MapSize size, std::int64_t blocks_down, float scale) {
  SIMT_SHARED(double, warp_sums, [32]);
  walk_variation_columns<with_gradient>(block_sums, warp_sums, pixels, size, blocks_down,
                                        [&](std::int64_t i, float /*value*/, float differences) {
                                          grad_pixels[i] += scale * differences;
                                        });
}

struct VariationColumn {
  static void launch(float* loss, float* grad_pixels, const float* pixels, const MapSize& size,
                     const VariationScale& scale, double* workspace, simt::StreamHandle stream) {
    launch_variation(
        grad_pixels == nullptr ? total_variation_kernel<false> : total_variation_kernel<true>,
        "total_variation", loss, grad_pixels, pixels, size, scale, workspace, stream);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
