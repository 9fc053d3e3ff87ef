// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/register_tile.cuh"
#include "kernels/common/size.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// The sums of a tile of `tile`×`tile` values, `rows`×`columns` of them in the registers of each
/// thread, in groups of 4×4: for 4×4 sums it loads 8 values from shared memory and does 16
/// multiply-adds.
template <class T, int tile, int rows, int columns>
struct GramRegisterSum {
  static constexpr int slice = 16;  // pixels
  static constexpr int threads = tile * tile / (rows * columns);
  static constexpr int row_step = 4 * tile / rows;  // from group to group
  static constexpr int column_step = 4 * tile / columns;
  using Slice = float[slice][tile];

  float values[rows][columns] = {};

  /// Where this thread's first group lies in the tile.
  static __device__ __forceinline__ int own_row() {
    return static_cast<int>(threadIdx.x) / (tile / columns) * 4;
  }
  static __device__ __forceinline__ int own_column() {
    return static_cast<int>(threadIdx.x) % (tile / columns) * 4;
  }

  /// Loads the slice that begins at `from`, as much as is left of the pixels and of the channels.
  static __device__ __forceinline__ void load(Slice& to, const T* from, std::int64_t pixels_left,
                                              std::int64_t channels_left, std::int64_t channels) {
#pragma unroll
    for (int index = static_cast<int>(threadIdx.x); index < slice * tile; index += threads) {
      const int p = index / tile;
      const int c = index % tile;
      to[p][c] =
          p < pixels_left && c < channels_left ? static_cast<float>(from[p * channels + c]) : 0.0F;
    }
  }

  /// Adds the products over all pixels. `row` and `column` are the tile's first channels. One slice
  /// in shared memory serves as both factors where they are the same.
  __device__ __forceinline__ void add(Slice& row_slice, Slice& column_slice, const T* pixel,
                                      std::int64_t pixels, std::int64_t channels, std::int64_t row,
                                      std::int64_t column) {
    for (; pixels > 0; pixels -= slice, pixel += slice * channels) {
      load(row_slice, pixel + row, pixels, channels - row, channels);
      if (&column_slice != &row_slice) {
        load(column_slice, pixel + column, pixels, channels - column, channels);
      }
      __syncthreads();
#pragma unroll 2
      for (int k = 0; k < slice; ++k) {
        add_outer_product<row_step, column_step>(values, &row_slice[k][own_row()],
                                                 &column_slice[k][own_column()]);
      }
      __syncthreads();
    }
  }

  /// Calls visit(i, j, sum) for each of this thread's sums, at [i,j] of the tile.
  template <class Visit>
  __device__ __forceinline__ void each(const Visit& visit) const {
#pragma unroll
    for (int r = 0; r < rows; ++r) {
#pragma unroll
      for (int c = 0; c < columns; ++c) {
        visit(own_row() + r / 4 * row_step + r % 4, own_column() + c / 4 * column_step + c % 4,
              values[r][c]);
      }
    }
  }
};

/// The 4×4 sums of a tile of 64.
inline constexpr int gram_register_tile = 64;
template <class T>
using GramSum4x4 = GramRegisterSum<T, gram_register_tile, 4, 4>;

/// A thread has 4×4 sums. Attacks the shared loads of rung 3, two for each multiply-add: now one
/// for two. blockIdx is (tile along j, tile along i, image). Bound by multiply-adds if there are
/// enough blocks: at C = 64 there is one.
template <class T>
__global__ void __launch_bounds__(GramSum4x4<T>::threads)
    gram_register_tile_kernel(float* gram, const T* features, std::int64_t pixels,
                              std::int64_t channels) {
  SIMT_SHARED(typename GramSum4x4<T>::Slice, slices, [2]);
  const std::int64_t row = std::int64_t{blockIdx.y} * gram_register_tile;
  const std::int64_t column = std::int64_t{blockIdx.x} * gram_register_tile;
  GramSum4x4<T> sum;
  sum.add(slices[0], slices[1], features + blockIdx.z * pixels * channels, pixels, channels, row,
          column);
  float* image = gram + blockIdx.z * channels * channels;
  sum.each([&](int i, int j, float value) {
    if (row + i < channels && column + j < channels) {
      image[(row + i) * channels + column + j] = value;
    }
  });
}

struct GramRegisterTile {
  template <class T>
  static void launch(float* gram, const T* features, const MapSize& size, float* /*workspace*/,
                     simt::StreamHandle stream) {
    const auto side =
        static_cast<unsigned>((size.channels + gram_register_tile - 1) / gram_register_tile);
    const simt::Grid grid{"gram_register_tile",
                          {side, side, static_cast<unsigned>(size.batch)},
                          {GramSum4x4<T>::threads}};
    simt::launch(gram_register_tile_kernel<T>, grid, stream, gram, features, size.pixels(),
                 size.channels);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
