// SPDX-License-Identifier: MIT
#pragma once

/// CUDA's words for kernels, which nvcc compiles for a GPU, and g++ or clang++ for the host-SIMT
/// machine. A kernel includes this file and no header of CUDA's.
///
/// What a kernel writes differently than in plain CUDA:
///   SIMT_SHARED(float, tile, [8][33]);       instead of   __shared__ float tile[8][33];
///   simt::dynamic_shared<float>()            instead of   extern __shared__ float tile[];
///   simt::launch(kernel, grid, stream, ...)  instead of   kernel<<<...>>>(...)

#ifdef __CUDACC__

#include <cooperative_groups.h>
#include <cuda_runtime.h>

#define SIMT_SHARED(type, name, ...) __shared__ type name __VA_ARGS__

namespace simt {

template <class T>
__device__ __forceinline__ T* dynamic_shared() {
  extern __shared__ __align__(1024) unsigned char simt_dynamic_shared[];
  return reinterpret_cast<T*>(simt_dynamic_shared);
}

/// A kernel launched in several phases does what it has to do in each, and calls next_phase() between
/// two of them: no block begins a phase before all blocks of the grid have ended the one before.
/// Nothing but global memory goes from phase to phase.
///   if (simt::in_phase(0)) { ... }
///   simt::next_phase();
///   if (simt::in_phase(1)) { ... }
__device__ __forceinline__ constexpr bool in_phase(int /*phase*/) { return true; }
__device__ __forceinline__ void next_phase() { cooperative_groups::this_grid().sync(); }

/// One load or store of an aligned struct of up to 16 bytes.
template <class V>
__device__ __forceinline__ V load_vector(const V* from) {
  return *from;
}
template <class V>
__device__ __forceinline__ void store_vector(V* to, const V& value) {
  *to = value;
}

}  // namespace simt

#else

#include "simt/host_words.hpp"

#endif
