// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/total_variation/variation_grid.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// The formula as it stands: for each value of its column a thread loads the value, its four
/// neighbours and the gradient. All but two of them come from cache, but each is a load to issue
/// and to wait for: 6 loads for 12 bytes that must be moved. It sums as rung 2 does.
template <bool with_gradient>
__global__ void __launch_bounds__(variation_threads)
    variation_naive_kernel(LossSum losses, float* grad_pixels, const float* pixels, MapSize size,
                           std::int64_t blocks_down, float scale) {
  SIMT_SHARED(double, warp_sums, [32]);
  const std::int64_t C = size.channels;
  const std::int64_t row = size.width * C;
  const std::int64_t at = std::int64_t{blockIdx.x} * variation_threads + threadIdx.x;
  for (std::int64_t strip = blockIdx.y; strip < blocks_down; strip += gridDim.y) {
    double sum = 0;
    const std::int64_t begin = strip * variation_block_rows;
    for (std::int64_t h = begin; h < begin + variation_block_rows; ++h) {
      if (at >= row || h >= size.height) break;
      const std::int64_t i = blockIdx.z * size.per_image() + h * row + at;
      const float value = pixels[i];
      const float up = h > 0 ? value - pixels[i - row] : 0.0F;
      const float down = h + 1 < size.height ? value - pixels[i + row] : 0.0F;
      const float left = at >= C ? value - pixels[i - C] : 0.0F;
      const float right = at + C < row ? value - pixels[i + C] : 0.0F;
      sum += static_cast<double>(down * down + right * right);
      if constexpr (with_gradient) grad_pixels[i] += scale * (up + down + left + right);
    }
    sum = block_sum(sum, warp_sums);
    if (threadIdx.x == 0) {
      losses.block_sums[(blockIdx.z * blocks_down + strip) * gridDim.x + blockIdx.x] = sum;
    }
    __syncthreads();
  }
  add_losses(losses, size.batch, gridDim.x * blocks_down, warp_sums);
}

struct VariationNaive {
  static void launch(float* loss, float* grad_pixels, const float* pixels, const MapSize& size,
                     const VariationScale& scale, double* workspace, unsigned* blocks_done,
                     simt::StreamHandle stream) {
    launch_variation(
        grad_pixels == nullptr ? variation_naive_kernel<false> : variation_naive_kernel<true>,
        "variation_naive", loss, grad_pixels, pixels, size, scale, workspace, blocks_done, stream);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
