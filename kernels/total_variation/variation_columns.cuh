// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/total_variation/variation_grid.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// A thread walks down one column of values in each of its block's strips, the value above and its
/// own in registers, and the block writes the sum of each strip's squares. `take(i, value,
/// differences)` gets every value with the sum of its differences from its neighbours; where that
/// is not `wanted` it is not computed. `warp_sums` is shared memory for 32 values.
template <bool wanted, class Take>
__device__ __forceinline__ void walk_variation_columns(double* block_sums, double* warp_sums,
                                                       const float* pixels, const MapSize& size,
                                                       std::int64_t blocks_down, Take take) {
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
        if constexpr (wanted) {
          const float left = at >= C ? value - here[-C] : 0.0F;
          take(here - pixels, value, up + down + left + right);
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

}  // namespace impasto::kernels::IMPASTO_DEVICE
