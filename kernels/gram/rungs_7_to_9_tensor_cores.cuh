// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/mma.cuh"
#include "kernels/common/pack.cuh"
#include "kernels/gram/gram_sum.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// A slice of the pixels in shared memory, pixel by pixel as in the feature map: 32 pixels in 16
/// bits or 16 in float, 64 bytes of each of the tile's channels. The 16-byte chunks of a row are
/// swizzled, differently from row to row, so that what a warp reads along a column lies in
/// different banks.
template <class T, int tile>
struct GramSlice {
  static constexpr int pixels = static_cast<int>(64 / sizeof(T));
  static constexpr int chunks = tile / widest<T>;
  static constexpr int values = pixels * tile;

  /// The place of a channel's value.
  static __device__ __forceinline__ int at(int pixel, int channel) {
    const int swizzle = sizeof(T) == 2 ? pixel & 7 : (pixel & 3) << 1;
    const int chunk = (channel / widest<T>)^swizzle;
    return pixel * tile + chunk * widest<T> + channel % widest<T>;
  }

  /// The A factor of one product: 16 channels from `channel` on, mma_k pixels from `pixel` on. A
  /// row of the slice holds one pixel, that is one K, so ldmatrix transposes 16-bit values.
  static __device__ __forceinline__ void load_a(std::uint32_t (&a)[4], const T* slice, int pixel,
                                                int channel) {
    const int lane = static_cast<int>(threadIdx.x % 32);
    if constexpr (sizeof(T) == 2) {
      const int matrix = lane / 8;
      simt::ldmatrix_trans(a,
                           slice + at(pixel + matrix / 2 * 8 + lane % 8, channel + matrix % 2 * 8));
    } else {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int from = at(pixel + lane % 4 + i / 2 * 4, channel + lane / 4 + i % 2 * 8);
        a[i] = simt::to_tf32(slice[from]);
      }
    }
  }

  /// The B factors of two products: 8 channels from `channel` on, and the 8 after them.
  static __device__ __forceinline__ void load_b(std::uint32_t (&b)[2][2], const T* slice, int pixel,
                                                int channel) {
    const int lane = static_cast<int>(threadIdx.x % 32);
    if constexpr (sizeof(T) == 2) {
      const int matrix = lane / 8;
      std::uint32_t both[4];
      simt::ldmatrix_trans(both,
                           slice + at(pixel + matrix % 2 * 8 + lane % 8, channel + matrix / 2 * 8));
#pragma unroll
      for (int i = 0; i < 4; ++i) b[i / 2][i % 2] = both[i];
    } else {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int from = at(pixel + lane % 4 + i % 2 * 4, channel + lane / 4 + i / 2 * 8);
        b[i / 2][i % 2] = simt::to_tf32(slice[from]);
      }
    }
  }
};

inline constexpr int gram_stages = 3;

/// Bytes of shared memory: 48 KB for the tile of 128, so that two blocks fit on an SM from sm_80
/// on, and 12 KB for the tile of 64, which is always on the diagonal.
template <int tile>
inline constexpr std::size_t gram_shared_bytes = gram_stages*(tile == 64 ? 1 : 2) * tile * 64;

/// The first stage of rungs 7 to 9: products on tensor cores, at sixteen times the rate of
/// multiply-adds in float. Attacks the multiply-adds that bound rungs 5 and 6, and leaves memory.
///
/// A block sums one work tile after the other; a warp has 64×32 values of a tile (32×32 of the tile
/// of 64) in registers, by mma.sync. The slices of pixels go through a pipeline of three stages of
/// shared memory: two are on their way while one is multiplied, also from one work tile to the
/// next. On the diagonal both factors are the same slice, so up to C = 128 the feature map is read
/// once and the whole square is computed: bound by memory, C FLOP per byte. `packed` copies 16
/// bytes by cp.async; maps that do not allow it are read value by value.
template <class T, int tile, bool packed>
__global__ void __launch_bounds__(2 * tile, packed ? 2 : 1)
    gram_mma_kernel(float* partials, const T* features, GramWork work) {
  using Slice = GramSlice<T, tile>;
  constexpr int threads = 2 * tile;
  constexpr int width = widest<T>;
  constexpr int row_products = tile / 32;  // of 16 rows each, half a tile per warp
  constexpr int column_products = 4;       // of 8 columns each
  constexpr bool only_diagonal = tile == 64;

  const int C = work.channels;
  T* row_slices = simt::dynamic_shared<T>();
  T* column_slices = only_diagonal ? row_slices : row_slices + gram_stages * Slice::values;

  // This thread copies one chunk of every `step`-th pixel.
  constexpr int step = threads / Slice::chunks;
  static_assert(step % 8 == 0, "the chunks of all its pixels are swizzled alike");
  const int own_pixel = static_cast<int>(threadIdx.x) / Slice::chunks;
  const int own_channel = static_cast<int>(threadIdx.x) % Slice::chunks * width;
  const int own_place = Slice::at(own_pixel, own_channel);
  const auto load = [&](T* to, const T* own_pixels, int pixels_left, int first_channel) {
    const int left = C - first_channel - own_channel;
#pragma unroll
    for (int l = 0; l < Slice::pixels / step; ++l) {
      const bool inside = l * step < pixels_left && left > 0;
      const T* from = inside ? own_pixels + std::int64_t{l * step} * C + first_channel : features;
      T* place_of_chunk = to + own_place + l * step * tile;
      if constexpr (packed) {
        simt::cp_async_16(place_of_chunk, from, inside ? 16 : 0);
      } else {
        Pack<T, width> values;
#pragma unroll
        for (int v = 0; v < width; ++v) values.values[v] = inside && v < left ? from[v] : T{};
        store_pack<width>(place_of_chunk, values);
      }
    }
  };
  // The work tile that is being loaded, and the next slice to load of it.
  unsigned next_index = blockIdx.x;
  GramWorkTile next = gram_work_tile<tile>(work, next_index);
  int next_pixel = 0;
  const auto load_next = [&](int stage) {
    if (next_index < work.count) {
      const T* own_pixels =
          features + next.first + std::int64_t{next_pixel + own_pixel} * C + own_channel;
      const int left = next.pixels - next_pixel - own_pixel;
      load(row_slices + stage * Slice::values, own_pixels, left, next.row);
      if (!only_diagonal && next.row != next.column) {
        load(column_slices + stage * Slice::values, own_pixels, left, next.column);
      }
      next_pixel += Slice::pixels;
      if (next_pixel >= next.pixels) {
        next_index += gridDim.x;
        next_pixel = 0;
        if (next_index < work.count) next = gram_work_tile<tile>(work, next_index);
      }
    }
    simt::cp_async_commit_group();
  };

  const int warp = static_cast<int>(threadIdx.x / 32);
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int i0 = warp % 2 * (tile / 2);
  const int j0 = warp / 2 * 32;
  for (int stage = 0; stage < gram_stages - 1; ++stage) load_next(stage);
  int stage = 0;
  for (unsigned index = blockIdx.x; index < work.count; index += gridDim.x) {
    const GramWorkTile place = gram_work_tile<tile>(work, index);
    const bool active = place.row + i0 < C && place.column + j0 < C;
    const T* columns = only_diagonal || place.row == place.column ? row_slices : column_slices;
    float sum[row_products][column_products][4] = {};
    for (int p = 0; p < place.pixels; p += Slice::pixels) {
      simt::cp_async_wait_group<gram_stages - 2>();
      __syncthreads();
      load_next(stage == 0 ? gram_stages - 1 : stage - 1);
      if (active) {
#pragma unroll(sizeof(T) == 2 ? 2 : 1)
        for (int k = 0; k < Slice::pixels; k += mma_k<T>) {
          std::uint32_t b[column_products][2];
#pragma unroll
          for (int j = 0; j < column_products; j += 2) {
            Slice::load_b(reinterpret_cast<std::uint32_t(&)[2][2]>(b[j]),
                          columns + stage * Slice::values, k, j0 + 8 * j);
          }
#pragma unroll
          for (int i = 0; i < row_products; ++i) {
            std::uint32_t a[4];
            Slice::load_a(a, row_slices + stage * Slice::values, k, i0 + 16 * i);
#pragma unroll
            for (int j = 0; j < column_products; ++j) mma<T>(sum[i][j], a, b[j]);
          }
        }
      }
      stage = stage == gram_stages - 1 ? 0 : stage + 1;
    }

    float* partial = partials + place.partial;
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
  simt::cp_async_wait_group<0>();
}

/// Launches it. `most_blocks` caps the grid; with no_block_limit each work tile has its own block.
template <unsigned most_blocks>
struct GramMma {
  template <class T, int tile>
  static void launch_tiles(float* partials, const T* features, const GramPlan& plan,
                           const MapSize& size, simt::StreamHandle stream) {
    const bool packed = can_pack<T>(widest<T>, size.channels, {features});
    simt::Grid grid = gram_grid("gram_mma", plan, size);
    grid.blocks.x = std::min(grid.blocks.x, most_blocks);
    grid.shared_bytes = gram_shared_bytes<tile>;
    simt::launch(packed ? gram_mma_kernel<T, tile, true> : gram_mma_kernel<T, tile, false>, grid,
                 stream, partials, features, gram_work(plan, size));
  }
};
inline constexpr unsigned no_block_limit = 0x7fffffffU;

/// Rung 7: all pixels in one split, so that there is one block for each tile of the matrix.
struct GramTensorCoresOneSplit : GramTwoStages<GramMma<no_block_limit>, GramPlan::one_split> {};

/// Rung 8: rung 7 over splits of the pixels, as in rung 6. Tensor cores leave memory as the bound,
/// and ten blocks do not ask for as much as a GPU can read; two for each SM do.
struct GramTensorCoresSplit : GramTwoStages<GramMma<no_block_limit>> {};

/// Two for each SM of an H100.
inline constexpr unsigned gram_persistent_blocks = 264;

/// Rung 9: rung 8 for batches and large images, which have more work tiles than a GPU holds blocks.
/// Persistent blocks take one work tile after the other, of any image. When a block ends, the next
/// one begins with empty stages, and memory idles for as long as a load takes; a persistent block
/// loads the next work tile while it multiplies the end of this one. The bits are those of rung 8.
/// One image of up to 2²⁰ pixels has no more work tiles than there are blocks, so that the two
/// rungs are the same.
struct GramPersistent : GramTwoStages<GramMma<gram_persistent_blocks>> {};

}  // namespace impasto::kernels::IMPASTO_DEVICE
