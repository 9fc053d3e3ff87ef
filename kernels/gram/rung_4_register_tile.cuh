// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/register_tile.cuh"
#include "kernels/common/size.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

inline constexpr int gram_register_tile = 64;

/// The sums of a tile of 64×64 values, 4×4 in the registers of each of 256 threads: a thread loads
/// 8 values from shared memory for 16 multiply-adds. Attacks the shared loads of rung 3, two for
/// each multiply-add. `row` and `column` are the tile's first channels.
template <class T>
struct GramRegisterSum {
  static constexpr int tile = gram_register_tile;
  static constexpr int slice = 16;  // pixels
  static constexpr int threads = 256;
  using Slice = float[slice][tile];

  float values[4][4] = {};

  /// Where this thread's values lie in the tile.
  static __device__ __forceinline__ int own_row() { return static_cast<int>(threadIdx.x) / 16 * 4; }
  static __device__ __forceinline__ int own_column() {
    return static_cast<int>(threadIdx.x) % 16 * 4;
  }

  static __device__ __forceinline__ void load(Slice& to, const T* image, std::int64_t first_pixel,
                                              std::int64_t pixels, std::int64_t channels,
                                              std::int64_t first_channel) {
#pragma unroll
    for (int index = static_cast<int>(threadIdx.x); index < slice * tile; index += threads) {
      const std::int64_t p = first_pixel + index / tile;
      const std::int64_t c = first_channel + index % tile;
      to[index / tile][index % tile] =
          p < pixels && c < channels ? static_cast<float>(image[p * channels + c]) : 0.0F;
    }
  }

  __device__ __forceinline__ void add(Slice& rows, Slice& columns, const T* image,
                                      std::int64_t pixels, std::int64_t channels, std::int64_t row,
                                      std::int64_t column) {
    for (std::int64_t first = 0; first < pixels; first += slice) {
      load(rows, image, first, pixels, channels, row);
      load(columns, image, first, pixels, channels, column);
      __syncthreads();
#pragma unroll 4
      for (int k = 0; k < slice; ++k) {
        add_outer_product<0, 0>(values, &rows[k][own_row()], &columns[k][own_column()]);
      }
      __syncthreads();
    }
  }
};

/// blockIdx is (tile along j, tile along i, image). Bound by multiply-adds if there are enough
/// blocks: at C = 64 there is one.
template <class T>
__global__ void __launch_bounds__(256)
    gram_register_tile_kernel(float* gram, const T* features, std::int64_t pixels,
                              std::int64_t channels) {
  using Sum = GramRegisterSum<T>;
  SIMT_SHARED(typename Sum::Slice, slices, [2]);
  const std::int64_t i = std::int64_t{blockIdx.y} * Sum::tile;
  const std::int64_t j = std::int64_t{blockIdx.x} * Sum::tile;
  Sum sum;
  sum.add(slices[0], slices[1], features + blockIdx.z * pixels * channels, pixels, channels, i, j);
  float* image = gram + blockIdx.z * channels * channels;
#pragma unroll
  for (int r = 0; r < 4; ++r) {
    const std::int64_t own_i = i + Sum::own_row() + r;
#pragma unroll
    for (int c = 0; c < 4; ++c) {
      const std::int64_t own_j = j + Sum::own_column() + c;
      if (own_i < channels && own_j < channels) image[own_i * channels + own_j] = sum.values[r][c];
    }
  }
}

struct GramRegisterTile {
  template <class T>
  static void launch(float* gram, const T* features, const MapSize& size, float* /*workspace*/,
                     simt::StreamHandle stream) {
    const auto side =
        static_cast<unsigned>((size.channels + gram_register_tile - 1) / gram_register_tile);
    const simt::Grid grid{
        "gram_register_tile", {side, side, static_cast<unsigned>(size.batch)}, {256}};
    simt::launch(gram_register_tile_kernel<T>, grid, stream, gram, features, size.pixels(),
                 size.channels);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
