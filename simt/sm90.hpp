// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "simt/error.hpp"
#ifdef __CUDACC__
#include <cuda.h>
#include <cuda_runtime.h>
#endif

/// The types that the instructions of sm_90a (ptx_sm90.hpp) work on, for nvcc and for the machine.
namespace simt {

enum class Element : std::uint8_t { bf16, f16 };
inline constexpr std::size_t element_bytes = 2;

/// A dense tensor of three dimensions in global memory, innermost first, and the box that one load
/// moves. A row of the box has 128 bytes.
struct TensorBox {
  std::array<std::uint64_t, 3> size;
  std::array<std::uint32_t, 3> box;
};

/// A barrier in shared memory. Its phase ends when as many threads have arrived as init() said, and
/// all the bytes that they announced.
struct Mbarrier {
  std::uint64_t state;
};

/// How the factors of a product lie in their tiles.
enum class Major : std::uint8_t {
  k,   ///< a tile's row holds the K values of one row of A, or of one column of B
  mn,  ///< a tile's row holds, for one K, 64 rows of A, or 64 columns of B
};

/// What tells wgmma where a factor lies in shared memory. Its tile's rows are swizzled.
struct MatrixDescriptor {
  std::uint64_t bits;
};

#ifdef __CUDACC__

/// A kernel takes it as: const __grid_constant__ TensorMap tensor.
using TensorMap = CUtensorMap;

/// Throws Error where the driver is too old or refuses the tensor.
inline TensorMap make_tensor_map(const void* data, Element element, const TensorBox& shape) {
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
TensorMap make_tensor_map(const void* data, Element element, const TensorBox& shape);

#endif

}  // namespace simt
