// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/total_variation/variation_grid.cuh"

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
  const std::int64_t C = size.channels;
  const std::int64_t row = size.width * C;
  const std::int64_t at = std::int64_t{blockIdx.x} * variation_threads + threadIdx.x;
  const std::int64_t image = blockIdx.z * size.per_image();
  for (std::int64_t strip = blockIdx.y; strip < blocks_down; strip += gridDim.y) {
    double sum = 0;
    if (at < row) {
      const std::int64_t begin = strip * variation_block_rows;
      const std::int64_t end = std::min(begin + variation_block_rows, size.height);
      const float* here = pixels + image + begin * row + at;
      float value = *here;
      // From above and from the left: at the border nothing.
      float up = begin > 0 ? value - here[-row] : 0.0F;
      float squares = 0;
      for (std::int64_t h = begin; h < end; ++h, here += row) {
        const float below = h + 1 < size.height ? here[row] : value;
        const float down = value - below;
        const float right = at + C < row ? value - here[C] : 0.0F;
        squares += down * down + right * right;
        if constexpr (with_gradient) {
          const float left = at >= C ? value - here[-C] : 0.0F;
          grad_pixels[here - pixels] += scale * (up + down + left + right);
        }
        up = -down;
        value = below;
      }
      sum = static_cast<double>(squares);
    }
    sum = block_sum(sum, warp_sums);
    if (threadIdx.x == 0) {
      block_sums[(blockIdx.z * blocks_down + strip) * gridDim.x + blockIdx.x] = sum;
    }
    __syncthreads();
  }
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
