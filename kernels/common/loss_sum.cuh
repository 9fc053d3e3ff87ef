// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/blocks_done.cuh"
#include "kernels/common/reduce.cuh"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Where a kernel that sums losses leaves them.
struct LossSum {
  float* loss;            ///< (N)
  double* block_sums;     ///< (N, blocks): every block writes its own
  unsigned* blocks_done;  ///< see is_last_block
  double scale;
};

/// loss[n] = scale · Σ block_sums[n], by the block that comes here last: it adds what all blocks
/// have written. Which values a thread adds depends on their number alone, so the order of the sum
/// is fixed, whichever block it is; atomic additions would add in the order in which blocks end. All
/// threads come here, after thread 0 has written this block's sums. `warp_sums` is shared memory as
/// of block_sum.
__device__ __forceinline__ void add_losses(const LossSum& to, std::int64_t images,
                                           std::int64_t blocks, double* warp_sums) {
  if (!is_last_block(to.blocks_done)) return;
  for (std::int64_t n = 0; n < images; ++n) {
    // Volatile: from the L2 cache, where other blocks have written them.
    const volatile double* own = to.block_sums + n * blocks;
    double sum = 0;
#pragma unroll 4
    for (std::int64_t i = threadIdx.x; i < blocks; i += blockDim.x) sum += own[i];
    sum = block_sum(sum, warp_sums);
    if (threadIdx.x == 0) to.loss[n] = static_cast<float>(to.scale * sum);
    __syncthreads();
  }
}

inline constexpr int loss_sum_threads = 256;

/// The same as a kernel of its own, a block for each image: the second stage of a sum. There are a
/// few thousand values at most: a microsecond or two, most of it the launch.
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
