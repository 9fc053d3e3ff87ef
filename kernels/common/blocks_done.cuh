// SPDX-License-Identifier: MIT
#pragma once

#include "simt/cuda.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Whether all other blocks of the grid have been here: true, in all of its threads, in the last
/// block alone, which sees what they had written before. `blocks_done` counts them; it is 0 before
/// and after. All threads of a block come here together, once.
///
/// A grid whose blocks have something to do after all of them are done needs no second launch, as
/// long as what is left is little enough for one block. The pattern is that of NVIDIA's sample
/// threadFenceReduction.
__device__ __forceinline__ bool is_last_block(unsigned* blocks_done) {
  SIMT_SHARED(bool, last, [1]);
  if (threadIdx.x == 0) {
    __threadfence();
    last[0] = atomicAdd(blocks_done, 1U) + 1 == gridDim.x * gridDim.y * gridDim.z;
    if (last[0]) *blocks_done = 0;
    __threadfence();
  }
  __syncthreads();
  return last[0];
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
