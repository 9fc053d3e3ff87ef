// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/pack.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// One step along K of a product in float: sum += a·bᵀ, `rows`×`columns` values per thread. A
/// thread's rows come in groups of four that lie `row_step` apart, and its columns likewise. A
/// group is one load of 16 bytes; neighbouring threads read neighbouring groups, without bank
/// conflicts.
template <int row_step, int column_step, int rows, int columns>
__device__ __forceinline__ void add_outer_product(float (&sum)[rows][columns], const float* a,
                                                  const float* b) {
  Pack<float, 4> a_packs[rows / 4];
  Pack<float, 4> b_packs[columns / 4];
#pragma unroll
  for (int g = 0; g < rows / 4; ++g) a_packs[g] = load_pack<4>(a + g * row_step);
#pragma unroll
  for (int g = 0; g < columns / 4; ++g) b_packs[g] = load_pack<4>(b + g * column_step);
#pragma unroll
  for (int i = 0; i < rows; ++i) {
#pragma unroll
    for (int j = 0; j < columns; ++j) {
      sum[i][j] += a_packs[i / 4].values[i % 4] * b_packs[j / 4].values[j % 4];
    }
  }
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
