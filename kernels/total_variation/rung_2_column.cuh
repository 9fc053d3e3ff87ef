// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/total_variation/variation_grid.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Attacks the loads of rung 1: of the value, the one above and the one below, a thread loads one.
///
/// A block takes 128 neighbouring values of 8 rows. A thread takes one of them and walks down, so
/// that its value and the one above are in registers and only the one below is new; those to the
/// left and right come from cache. A warp reads 128 bytes in a row whatever C is, so packs would
/// add nothing. Bound by memory: 12 bytes moved and 11 FLOP per value. A thread adds its few
/// squares in float; everything else is added in double.
template <bool with_gradient>
__global__ void __launch_bounds__(variation_threads)
    total_variation_kernel(LossSum losses, float* grad_pixels, const float* pixels, MapSize size,
                           std::int64_t blocks_down, float scale) {
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
      // The differences from above and from the left; 0 at the border.
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
      losses.block_sums[(blockIdx.z * blocks_down + strip) * gridDim.x + blockIdx.x] = sum;
    }
    __syncthreads();
  }
  add_losses(losses, size.batch, gridDim.x * blocks_down, warp_sums);
}

struct VariationColumn {
  static void launch(float* loss, float* grad_pixels, const float* pixels, const MapSize& size,
                     const VariationScale& scale, double* workspace, unsigned* blocks_done,
                     simt::StreamHandle stream) {
    launch_variation(
        grad_pixels == nullptr ? total_variation_kernel<false> : total_variation_kernel<true>,
        "total_variation", loss, grad_pixels, pixels, size, scale, workspace, blocks_done, stream);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
