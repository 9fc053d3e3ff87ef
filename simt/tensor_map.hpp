// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "simt/error.hpp"
#include "simt/sm90.hpp"
#ifdef __CUDACC__
#include <cuda.h>
#include <cuda_runtime.h>
#endif

namespace simt {

#ifdef __CUDACC__

/// How a kernel takes it: const __grid_constant__ TensorMap tensor.
using TensorMap = CUtensorMap;

/// Throws Error where the driver has none or refuses it.
inline TensorMap tensor_map(const void* data, Element element, const TensorBox& shape) {
  using Encode = decltype(&cuTensorMapEncodeTiled);
  static const Encode encode = [] {
    void* function = nullptr;
    cudaDriverEntryPointQueryResult found{};
    constexpr unsigned since = 12000;
#if CUDART_VERSION >= 12050
    const cudaError_t status = cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function,
                                                                since, cudaEnableDefault, &found);
#else
    const cudaError_t status =
        cudaGetDriverEntryPoint("cuTensorMapEncodeTiled", &function, cudaEnableDefault, &found);
#endif
    if (status != cudaSuccess || found != cudaDriverEntryPointSuccess) {
      throw Error("cuTensorMapEncodeTiled: expected a driver of CUDA " +
                  std::to_string(since / 1000) + " or newer");
    }
    return reinterpret_cast<Encode>(function);
  }();
  const cuuint64_t sizes[] = {shape.size[0], shape.size[1], shape.size[2]};
  const cuuint64_t strides[] = {element_bytes * sizes[0], element_bytes * sizes[0] * sizes[1]};
  const cuuint32_t steps[] = {1, 1, 1};
  TensorMap map{};
  const CUresult status = encode(
      &map,
      element == Element::bf16 ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 : CU_TENSOR_MAP_DATA_TYPE_FLOAT16,
      3, const_cast<void*>(data), sizes, strides, shape.box.data(), steps,
      CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
      CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (status != CUDA_SUCCESS) {
    throw Error("cuTensorMapEncodeTiled: refused with code " + std::to_string(status));
  }
  return map;
}

#else

struct TensorMap {
  const void* data = nullptr;
  TensorBox shape{};
};

/// Throws Error for what CUDA would refuse.
TensorMap tensor_map(const void* data, Element element, const TensorBox& shape);

#endif

}  // namespace simt
