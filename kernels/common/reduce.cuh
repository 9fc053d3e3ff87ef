// SPDX-License-Identifier: MIT
#pragma once

#include "simt/cuda.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// The sum over the warp, in every lane: five shuffles, always in the same order.
template <class T>
__device__ __forceinline__ T warp_sum(T value) {
  for (int lanes = 16; lanes > 0; lanes /= 2) value += __shfl_xor_sync(0xffffffffU, value, lanes);
  return value;
}

/// The sums over the warp of `count` values, a power of two: lane l gets the sum of
/// values[l % count]. Every shuffle halves what is left to add, so that 8 values take 9 shuffles
/// instead of 40. The order of each sum is fixed.
template <int count>
__device__ __forceinline__ float warp_sum_each(float (&values)[count]) {
  const unsigned lane = threadIdx.x % 32;
#pragma unroll
  for (int half = count / 2; half > 0; half /= 2) {
    const bool upper = (lane & static_cast<unsigned>(half)) != 0;
#pragma unroll
    for (int i = 0; i < half; ++i) {
      const float kept = upper ? values[i + half] : values[i];
      const float given = upper ? values[i] : values[i + half];
      values[i] = kept + __shfl_xor_sync(0xffffffffU, given, half);
    }
  }
  float sum = values[0];
#pragma unroll
  for (int lanes = count; lanes < 32; lanes *= 2) sum += __shfl_xor_sync(0xffffffffU, sum, lanes);
  return sum;
}

/// The sum over a block of whole warps, in thread 0. The block's size fixes its order. `warp_sums`
/// is shared memory for 32 values; there must be a barrier between two uses.
template <class T>
__device__ __forceinline__ T block_sum(T value, T* warp_sums) {
  const unsigned warp = threadIdx.x / 32;
  const unsigned lane = threadIdx.x % 32;
  const unsigned warps = blockDim.x / 32;
  value = warp_sum(value);
  if (lane == 0) warp_sums[warp] = value;
  __syncthreads();
  if (warp != 0) return 0;
  return warp_sum(lane < warps ? warp_sums[lane] : T{});
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
