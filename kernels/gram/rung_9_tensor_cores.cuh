// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/mma.cuh"
#include "kernels/common/pack.cuh"
#include "kernels/gram/gram_sum.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// A slice of the pixels in shared memory, as it lies in the feature map: 32 pixels in 16 bits or
/// 16 in float, 64 bytes of each of the tile's channels.
template <class T, int tile>
struct GramPlainSlice {
  static constexpr int pixels = static_cast<int>(64 / sizeof(T));
  static constexpr int values = pixels * tile;

  /// The place of a channel's value.
  static __device__ __forceinline__ int at(int pixel, int channel) {
    return pixel * tile + channel;
  }

  /// One register of a factor: the value of `channel` at `pixel`, or in 16 bits those of two
  /// neighbouring pixels.
  static __device__ __forceinline__ std::uint32_t load(const T* slice, int pixel, int channel) {
    if constexpr (sizeof(T) == 4) {
      return simt::to_tf32(slice[at(pixel, channel)]);
    } else {
      const std::uint32_t first = slice[at(pixel, channel)].bits;
      const std::uint32_t second = slice[at(pixel + 1, channel)].bits;
      return first | second << 16U;
    }
  }

  /// The A factor of one product: 16 channels from `channel` on, mma_k pixels from `pixel` on.
  static __device__ __forceinline__ void load_a(std::uint32_t (&a)[4], const T* slice, int pixel,
                                                int channel) {
    const int lane = static_cast<int>(threadIdx.x % 32);
    constexpr int own = mma_k<T> / 8;  // pixels in a register
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      a[i] = load(slice, pixel + lane % 4 * own + i / 2 * 4 * own, channel + lane / 4 + i % 2 * 8);
    }
  }

  /// The B factors of two products: 8 channels from `channel` on, and the 8 after them.
  static __device__ __forceinline__ void load_b(std::uint32_t (&b)[2][2], const T* slice, int pixel,
                                                int channel) {
    const int lane = static_cast<int>(threadIdx.x % 32);
    constexpr int own = mma_k<T> / 8;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      b[i / 2][i % 2] =
          load(slice, pixel + lane % 4 * own + i % 2 * 4 * own, channel + lane / 4 + i / 2 * 8);
    }
  }
};

/// What a warp computes of a tile, and its sums in registers: 64×32 values, or 32×32 of the tile of
/// 64, as products of 16×8.
template <class T, int tile>
struct GramWarpTile {
  static constexpr int row_products = tile / 32;
  static constexpr int column_products = 4;

  int i0;  ///< its first row in the tile
  int j0;  ///< its first column
  float sum[row_products][column_products][4];

  __device__ __forceinline__ GramWarpTile()
      : i0(static_cast<int>(threadIdx.x / 32) % 2 * (tile / 2)),
        j0(static_cast<int>(threadIdx.x / 32) / 2 * 32),
        sum{} {}

  /// Whether any of its values lies in the matrix.
  [[nodiscard]] __device__ __forceinline__ bool active(const GramWorkTile& place, int C) const {
    return place.row + i0 < C && place.column + j0 < C;
  }

  /// Adds the products over one slice of the pixels.
  template <class Slice>
  __device__ __forceinline__ void multiply(const T* rows, const T* columns) {
#pragma unroll(sizeof(T) == 2 ? 2 : 1)
    for (int k = 0; k < Slice::pixels; k += mma_k<T>) {
      std::uint32_t b[column_products][2];
#pragma unroll
      for (int j = 0; j < column_products; j += 2) {
        Slice::load_b(reinterpret_cast<std::uint32_t(&)[2][2]>(b[j]), columns, k, j0 + 8 * j);
      }
#pragma unroll
      for (int i = 0; i < row_products; ++i) {
        std::uint32_t a[4];
        Slice::load_a(a, rows, k, i0 + 16 * i);
#pragma unroll
        for (int j = 0; j < column_products; ++j) mma<T>(sum[i][j], a, b[j]);
      }
    }
  }

  /// Stores the sums where the tile's partial sums lie.
  __device__ __forceinline__ void store(float* partial, const GramWorkTile& place, int C) const {
    const int lane = static_cast<int>(threadIdx.x % 32);
#pragma unroll
    for (int product = 0; product < row_products * column_products; ++product) {
#pragma unroll
      for (int v = 0; v < 4; ++v) {
        const int i = i0 + 16 * (product / column_products) + lane / 4 + v / 2 * 8;
        const int j = j0 + 8 * (product % column_products) + 2 * (lane % 4) + v % 2;
        if (place.row + i < C && place.column + j < C) {
          partial[i * tile + j] = sum[product / column_products][product % column_products][v];
        }
      }
    }
  }
};

/// Products on tensor cores, by mma.sync, at sixteen times the rate of multiply-adds in float.
/// Attacks the multiply-adds that bound rung 8.
///
/// A block sums one tile over one split of the pixels, as in rung 6; a warp has a GramWarpTile. It
/// loads a slice, waits, multiplies it and waits again, as in rung 7, so memory idles while it
/// multiplies. Bound by shared memory: a register of a factor is two loads of 16 bits, and the four
/// lanes that read neighbouring pixels of one channel meet in one bank.
template <class T, int tile, class Slice, bool packed>
__global__ void __launch_bounds__(2 * tile, 2)
    gram_tensor_cores_kernel(float* partials, const T* features, GramWork work) {
  constexpr int width = widest<T>;
  const int C = work.channels;
  const GramWorkTile place = gram_work_tile<tile>(work, blockIdx.x);
  const bool diagonal = place.row == place.column;
  T* rows = simt::dynamic_shared<T>();
  T* columns = diagonal ? rows : rows + Slice::values;
  const auto load = [&](T* to, int first_pixel, int first_channel) {
#pragma unroll 2
    for (int index = static_cast<int>(threadIdx.x) * width; index < Slice::values;
         index += 2 * tile * width) {
      const int pixel = index / tile;
      const int channel = index % tile;
      const int left = first_pixel + pixel < place.pixels ? C - first_channel - channel : 0;
      const T* from =
          features + place.first + std::int64_t{first_pixel + pixel} * C + first_channel + channel;
      Pack<T, width> values = {};
      if constexpr (packed) {
        if (left > 0) values = load_pack<width>(from);
      } else {
#pragma unroll
        for (int v = 0; v < width; ++v) values.values[v] = v < left ? from[v] : T{};
      }
      store_pack<width>(to + Slice::at(pixel, channel), values);
    }
  };
  GramWarpTile<T, tile> warp_tile;
  for (int p = 0; p < place.pixels; p += Slice::pixels) {
    load(rows, p, place.row);
    if (!diagonal) load(columns, p, place.column);
    __syncthreads();
    if (warp_tile.active(place, C)) warp_tile.template multiply<Slice>(rows, columns);
    __syncthreads();
  }
  warp_tile.store(partials + place.partial, place, C);
}

/// Launches it with slices of this kind in shared memory.
template <template <class T, int tile> class Slice>
struct GramMmaOver : GramTwoStages<GramMmaOver<Slice>> {
  template <class T, int tile>
  static void launch_tiles(float* partials, const T* features, const GramPlan& plan,
                           const MapSize& size, simt::StreamHandle stream) {
    const bool packed = can_pack<T>(widest<T>, size.channels, {features});
    simt::Grid grid = gram_grid("gram_tensor_cores", plan, size);
    // The tile of 64 is always on the diagonal.
    grid.shared_bytes = (tile == 64 ? 1 : 2) * Slice<T, tile>::values * sizeof(T);
    simt::launch(packed ? gram_tensor_cores_kernel<T, tile, Slice<T, tile>, true>
                        : gram_tensor_cores_kernel<T, tile, Slice<T, tile>, false>,
                 grid, stream, partials, features, gram_work(plan, size));
  }
};

using GramTensorCores = GramMmaOver<GramPlainSlice>;

}  // namespace impasto::kernels::IMPASTO_DEVICE
