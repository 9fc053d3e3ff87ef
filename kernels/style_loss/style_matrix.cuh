// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/pack.cuh"
#include "kernels/style_loss/style_loss.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// `width` neighbouring values of M, in float.
template <int width>
__device__ __forceinline__ Pack<float, width> load_matrix_pack(const StyleMatrix& matrix,
                                                               std::int64_t at) {
  if (matrix.narrow == nullptr) return load_pack<width>(matrix.wide + at);
  const auto narrow = load_pack<width>(matrix.narrow + at);
  Pack<float, width> wide;
#pragma unroll
  for (int v = 0; v < width; ++v) wide.values[v] = static_cast<float>(narrow.values[v]);
  return wide;
}
__device__ __forceinline__ float load_matrix_value(const StyleMatrix& matrix, std::int64_t at) {
  return load_matrix_pack<1>(matrix, at).values[0];
}

template <int width>
__device__ __forceinline__ void store_matrix_pack(const StyleMatrixOutput& matrix, std::int64_t at,
                                                  const Pack<float, width>& wide) {
  if (matrix.narrow == nullptr) {
    store_pack<width>(matrix.wide + at, wide);
    return;
  }
  Pack<bfloat16, width> narrow;
#pragma unroll
  for (int v = 0; v < width; ++v) narrow.values[v] = static_cast<bfloat16>(wide.values[v]);
  store_pack<width>(matrix.narrow + at, narrow);
}

/// Whether these may be used for all packs of a row.
inline bool can_pack_matrix(int width, std::int64_t row_length, const StyleMatrix& matrix) {
  return can_pack<float>(width, row_length, {matrix.wide}) &&
         can_pack<bfloat16>(width, row_length, {matrix.narrow});
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
