// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/reduce.cuh"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

inline constexpr int loss_sum_threads = 256;

/// The second stage of a loss: one block per image adds what the first stage's blocks wrote. Which
/// values a thread adds depends on their number alone, so the order of the sum is fixed; atomic
/// additions would add in the order in which blocks end. There are a few thousand values at most: a
/// microsecond or two, most of it the launch.
template <class T>
__global__ void __launch_bounds__(loss_sum_threads)
    loss_sum_kernel(T* loss, const double* block_sums, std::int64_t blocks, double scale) {
  SIMT_SHARED(double, warp_sums, [32]);
  const double* own = block_sums + blockIdx.x * blocks;
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < blocks; i += loss_sum_threads) sum += own[i];
  sum = block_sum(sum, warp_sums);
  if (threadIdx.x == 0) loss[blockIdx.x] = static_cast<T>(scale * sum);
}

/// loss[n] = scale · Σ block_sums[n]; every image has `blocks` of them.
inline void launch_loss_sum(float* loss, const double* block_sums, std::int64_t batch,
                            std::int64_t blocks, double scale, simt::StreamHandle stream) {
  const simt::Grid grid{"loss_sum", {static_cast<unsigned>(batch)}, {loss_sum_threads}};
  simt::launch(loss_sum_kernel<float>, grid, stream, loss, block_sums, blocks, scale);
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
