// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/bfloat16.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/style_loss/style_matrix.cuh"
#include "simt/ptx.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

inline constexpr int round_matrix_threads = 256;

/// The order in which the columns of M are stored. In `grouped` order, of each 32 columns, 8·i +
/// 2·j and the next one are stored as rows 8·j + 2·i and the next one. Then a lane's pairs of four
/// neighbouring products of 8 columns are eight neighbouring columns.
enum class ColumnOrder : std::uint8_t { plain, grouped };

__device__ __forceinline__ std::int64_t row_of_column(std::int64_t column, ColumnOrder order) {
  if (order == ColumnOrder::plain) return column;
  const std::int64_t own = column % 32;
  return column - own + own % 8 / 2 * 8 + own / 8 * 2 + own % 2;
}

/// The largest of a warp's values, in every lane.
__device__ __forceinline__ unsigned warp_largest(unsigned value) {
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    const unsigned other = __shfl_xor_sync(0xffffffffU, value, lanes);
    value = other > value ? other : value;
  }
  return value;
}

/// The power of two that brings the largest magnitude of a column of M, given as the bits of a float
/// without its sign, to [2¹⁴, 2¹⁵), and its inverse. Both stay normal numbers.
struct MatrixScale {
  float apply;
  float undo;

  explicit __device__ __forceinline__ MatrixScale(unsigned largest) {
    unsigned exponent = largest >> 23U;  // biased: 127 is 2⁰
    exponent = exponent < 15 ? 15 : exponent > 254 ? 254 : exponent;
    apply = __uint_as_float((268 - exponent) << 23U);
    undo = __uint_as_float((exponent - 14) << 23U);
  }
};

/// Rounds M for tensor cores, and stores what undoes its scaling. A warp takes one column, which is
/// also a row, since M is symmetric. It finds the column's largest value, multiplies by the power
/// of two that brings that value to [2¹⁴, 2¹⁵), and rounds to T, or to tf32 for float. Coefficients
/// of M are as small as 10⁻¹², far below what float16 holds; so scaled, values down to 2⁻²⁹ of the
/// largest keep all of their bits. Each column has its own scale: no block waits for another's
/// maximum, and a column of small values loses nothing to one of large values. Rows are padded with
/// zeros to a multiple of 8, so that 16 bytes can be copied at a time whatever C is. Bound by the
/// launch itself: there are at most 2¹⁸ values.
template <class T>
__global__ void __launch_bounds__(round_matrix_threads)
    round_matrix_kernel(T* rounded, float* scales, StyleMatrix matrix, std::int64_t column_count,
                        int channels, int padded, ColumnOrder order) {
  const std::int64_t column =
      std::int64_t{blockIdx.x} * (round_matrix_threads / 32) + threadIdx.x / 32;
  if (column >= column_count) return;
  const int lane = static_cast<int>(threadIdx.x % 32);
  const std::int64_t from = column * channels;
  unsigned largest = 0;
  for (int k = lane; k < channels; k += 32) {
    const unsigned magnitude = __float_as_uint(load_matrix_value(matrix, from + k)) & 0x7fffffffU;
    largest = magnitude > largest ? magnitude : largest;
  }
  const MatrixScale scale(warp_largest(largest));
  if (lane == 0) scales[column] = scale.undo;
  T* row = rounded + row_of_column(column, order) * padded;
  for (int k = lane; k < padded; k += 32) {
    const float value = k < channels ? load_matrix_value(matrix, from + k) * scale.apply : 0;
    if constexpr (std::is_same_v<T, float>) {
      row[k] = __uint_as_float(simt::to_tf32(value));
    } else {
      row[k] = static_cast<T>(value);
    }
  }
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
