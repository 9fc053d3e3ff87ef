// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/blocks.hpp"
#include "kernels/common/mma.cuh"
#include "kernels/common/persistent.cuh"
#include "kernels/style_backward/round_matrix.cuh"
#include "kernels/style_backward/rung_2_register_tile.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// M as round_matrix_kernel stores it, or as it is.
template <class T>
struct RoundedMatrix {
  const T* values;      ///< (N,C,padded)
  const float* scales;  ///< (N,C), what a column of the product is multiplied with; null: 1
  int padded;
};

/// A slice of K is 64 bytes, four chunks of 16: 32 values of 16 bits or 16 of float. It has one row
/// for each pixel of F, or for each column of M. The chunks of a row are swizzled so that the eight
/// rows that a warp reads at once lie in different banks; in M these are not neighbours
/// (`own_column`). Returns where a chunk begins.
template <class T>
__device__ __forceinline__ int feature_chunk(int row, int chunk) {
  return (row * 4 + (chunk ^ (row / 2 % 4))) * widest<T>;
}
template <class T>
__device__ __forceinline__ int matrix_chunk(int row, int chunk) {
  return (row * 4 + (chunk ^ (row / 8 % 4))) * widest<T>;
}

/// Which of a warp's 32 columns is column `group` of product j. In this order a lane's results of
/// the four products are eight neighbouring columns, so that it reads and writes the gradient in
/// packs, straight from registers.
__device__ __forceinline__ int own_column(int product, int group) {
  return group / 2 * 8 + 2 * product + group % 2;
}

/// The A factor: 16 pixels from `row` on, two chunks of channels.
template <class T>
__device__ __forceinline__ void load_feature_factor(std::uint32_t (&a)[4], const T* slice, int row,
                                                    int chunk) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  if constexpr (sizeof(T) == 2) {
    const int matrix = lane / 8;
    simt::ldmatrix(a,
                   slice + feature_chunk<T>(row + matrix % 2 * 8 + lane % 8, chunk + matrix / 2));
  } else {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int from = feature_chunk<T>(row + lane / 4 + i % 2 * 8, chunk + i / 2);
      a[i] = simt::to_tf32(slice[from + lane % 4]);
    }
  }
}

/// The B factors of products j and j + 1; the warp's 32 columns begin at `row`.
template <class T>
__device__ __forceinline__ void load_matrix_factors(std::uint32_t (&b)[2][2], const T* slice,
                                                    int row, int j, int chunk) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  if constexpr (sizeof(T) == 2) {
    const int matrix = lane / 8;
    std::uint32_t both[4];
    simt::ldmatrix(both, slice + matrix_chunk<T>(row + own_column(j + matrix / 2, lane % 8),
                                                 chunk + matrix % 2));
#pragma unroll
    for (int i = 0; i < 4; ++i) b[i / 2][i % 2] = both[i];
  } else {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int from = matrix_chunk<T>(row + own_column(j + i / 2, lane / 4), chunk + i % 2);
      b[i / 2][i % 2] = __float_as_uint(slice[from + lane % 4]);
    }
  }
}

inline constexpr int style_backward_stages = 3;
template <int columns>
inline constexpr std::size_t matrix_slice_bytes = columns * 64;
inline constexpr std::size_t feature_slice_bytes = style_backward_rows * 64;

/// Products on tensor cores, with sum and mask in the same pass over the maps. Attacks the
/// multiply-adds that bound rung 2.
///
/// A persistent block computes tiles of 128 pixels × `columns` channels, one after the other (x
/// strides over the pixels, y is the tile of channels, z the image); a warp has 64×32 values of a
/// tile (32×32 of 64 columns) in registers, by mma.sync. F goes through a pipeline of three stages
/// of shared memory: two slices are on their way while one is multiplied, also from tile to tile. M
/// is `resident` if all of a block's columns fit beside F (C ≤ 128 in 16 bits: 32 KB), and is then
/// read once per block; otherwise it goes through stages with F. Bound by memory: three values
/// moved for C multiply-adds. F is read again for the mask: its slices in shared memory have been
/// replaced, but this block has just brought them to the L2 cache. If all slices of F stayed in
/// shared memory, an SM would hold one block instead of two.
template <class T, int columns, bool packed>
__global__ void __launch_bounds__(style_backward_threads, 2)
    style_backward_mma_kernel(T* grad, const T* features, RoundedMatrix<T> matrix,
                              std::int64_t pixels, int channels, bool resident,
                              GradientEpilogue epilogue) {
  constexpr int threads = style_backward_threads;
  constexpr int rows = style_backward_rows;
  constexpr int stages = style_backward_stages;
  constexpr int width = widest<T>;
  constexpr int slice = 4 * width;
  constexpr int column_warps = columns / 32;
  constexpr int row_products = rows * column_warps / 8 / 16;
  constexpr int column_products = 4;

  const int C = channels;
  const int slices = (C + slice - 1) / slice;
  const int first_channel = static_cast<int>(blockIdx.y) * columns;
  const std::int64_t image = blockIdx.z * pixels * C;
  const int first_tile = static_cast<int>(blockIdx.x);
  const int tiles = static_cast<int>((pixels + rows - 1) / rows);
  const T* columns_of_m =
      matrix.values + (std::int64_t{blockIdx.z} * C + first_channel) * matrix.padded;
  T* feature_slices = simt::dynamic_shared<T>();
  T* matrix_slices = feature_slices + stages * rows * slice;

  /// What is there of a chunk, of which `left` values remain in its row; zeros for the rest.
  const auto load_chunk = [](T* to, const T* from, int left) {
    if constexpr (packed) {
      simt::cp_async_16(to, from, left > 0 ? 16 : 0);
    } else {
      Pack<T, width> values;
#pragma unroll
      for (int v = 0; v < width; ++v) values.values[v] = v < left ? from[v] : T{};
      store_pack<width>(to, values);
    }
  };
  const auto load_features = [&](T* to, int tile, int k0) {
    const std::int64_t tile_pixel = std::int64_t{tile} * rows;
#pragma unroll
    for (int index = static_cast<int>(threadIdx.x); index < rows * 4; index += threads) {
      const int row = index / 4;
      const int k = k0 + index % 4 * width;
      const bool inside = tile_pixel + row < pixels && k < C;
      load_chunk(to + feature_chunk<T>(row, index % 4),
                 inside ? features + image + (tile_pixel + row) * C + k : features,
                 inside ? C - k : 0);
    }
  };
  const auto load_matrix = [&](T* to, int k0) {
#pragma unroll
    for (int index = static_cast<int>(threadIdx.x); index < columns * 4; index += threads) {
      const int row = index / 4;
      const int k = k0 + index % 4 * width;
      const bool inside = first_channel + row < C && k < matrix.padded;
      load_chunk(to + matrix_chunk<T>(row, index % 4),
                 inside ? columns_of_m + std::int64_t{row} * matrix.padded + k : matrix.values,
                 inside ? matrix.padded - k : 0);
    }
  };
  int next_tile = first_tile;
  int next_slice = 0;
  const auto load_next = [&](int stage) {
    if (next_tile < tiles) {
      load_features(feature_slices + stage * rows * slice, next_tile, next_slice * slice);
      if (!resident || next_tile == first_tile) {
        load_matrix(matrix_slices + (resident ? next_slice : stage) * columns * slice,
                    next_slice * slice);
      }
    }
    simt::cp_async_commit_group();
    if (++next_slice == slices) {
      next_slice = 0;
      next_tile += static_cast<int>(gridDim.x);
    }
  };

  const int warp = static_cast<int>(threadIdx.x / 32);
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int i0 = warp / column_warps * (16 * row_products);
  const int j0 = warp % column_warps * 32;
  for (int stage = 0; stage < stages - 1; ++stage) load_next(stage);
  int stage = 0;
  for (int tile = first_tile; tile < tiles; tile += static_cast<int>(gridDim.x)) {
    const std::int64_t pixel = std::int64_t{tile} * rows;
    const bool active = pixel + i0 < pixels && first_channel + j0 < C;
    float sum[row_products][column_products][4] = {};
    for (int s = 0; s < slices; ++s) {
      simt::cp_async_wait_group<stages - 2>();
      __syncthreads();
      load_next(stage == 0 ? stages - 1 : stage - 1);
      if (active) {
        const T* f = feature_slices + stage * rows * slice;
        const T* m = matrix_slices + (resident ? s : stage) * columns * slice;
#pragma unroll(sizeof(T) == 2 ? 2 : 1)
        for (int chunk = 0; chunk < 4; chunk += 2) {
          std::uint32_t b[column_products / 2][2][2];
#pragma unroll
          for (int j = 0; j < column_products; j += 2) {
            load_matrix_factors(b[j / 2], m, j0, j, chunk);
          }
#pragma unroll
          for (int i = 0; i < row_products; ++i) {
            std::uint32_t a[4];
            load_feature_factor(a, f, i0 + 16 * i, chunk);
#pragma unroll
            for (int j = 0; j < column_products; ++j) mma<T>(sum[i][j], a, b[j / 2][j % 2]);
          }
        }
      }
      stage = stage == stages - 1 ? 0 : stage + 1;
    }

    const int c = first_channel + j0 + lane % 4 * 8;
    if (!active || c >= C) continue;
    float scales[8];
#pragma unroll
    for (int v = 0; v < 8; ++v) {
      const bool scaled = matrix.scales != nullptr && c + v < C;
      scales[v] = scaled ? matrix.scales[std::int64_t{blockIdx.z} * C + c + v] : 1;
    }
    // Rows in groups, as many as the registers beside the sums hold packs for.
    constexpr int row_packs = 8 / width;
    constexpr int group = 2 / row_packs;
    constexpr bool hold = packed && (sizeof(T) == 2 || columns == 64);
#pragma unroll
    for (int first_half = 0; first_half < 2 * row_products; first_half += group) {
      HeldPack<T, width> held[group][row_packs];
      const auto each_pack = [&](auto visit) {
#pragma unroll
        for (int row = 0; row < group; ++row) {
          const std::int64_t p = pixel + i0 + 8 * (first_half + row) + lane / 4;
#pragma unroll
          for (int pack = 0; pack < row_packs; ++pack) {
            const int first = pack * width;
            visit(row, pack, image + p * C + c + first, p < pixels ? C - c - first : 0);
          }
        }
      };
      if constexpr (hold) {
        each_pack([&](int row, int pack, std::int64_t at, int left) {
          held[row][pack] = hold_pack<width>(grad, features, at, left > 0, epilogue);
        });
      }
      each_pack([&](int row, int pack, std::int64_t at, int left) {
        const int half = first_half + row;
        float values[width];
#pragma unroll
        for (int v = 0; v < width; ++v) {
          const int j = pack * width + v;
          values[v] = sum[half / 2][j / 2][half % 2 * 2 + j % 2] * scales[j];
        }
        if constexpr (hold) {
          join_pack(grad, at, left > 0, held[row][pack], values, epilogue);
        } else {
          join_gradient<packed>(grad, features, at, left, values, epilogue);
        }
      });
    }
  }
}

struct StyleBackwardTensorCores {
  static std::int64_t round_up(std::int64_t count, std::int64_t unit) {
    return (count + unit - 1) / unit * unit;
  }
  /// In floats. The workspace holds the scales, then the rounded matrices, aligned.
  static std::int64_t scale_count(const MapSize& size) {
    return round_up(size.batch * size.channels, 4);
  }
  static std::int64_t workspace(const MapSize& size) {
    return scale_count(size) + size.batch * size.channels * round_up(size.channels, 8);
  }

  template <class T>
  static RoundedMatrix<T> round_matrix(float* workspace, const StyleMatrix& matrix,
                                       const MapSize& size, ColumnOrder order,
                                       simt::StreamHandle stream) {
    const std::int64_t padded = round_up(size.channels, 8);
    T* values = reinterpret_cast<T*>(workspace + scale_count(size));
    const std::int64_t count = size.batch * size.channels;
    const unsigned blocks = blocks_for(count, round_matrix_threads / 32, count);
    simt::launch(round_matrix_kernel<T>, {"round_matrix", {blocks}, {round_matrix_threads}}, stream,
                 values, workspace, matrix, count, static_cast<int>(size.channels),
                 static_cast<int>(padded), order);
    return {values, workspace, static_cast<int>(padded)};
  }

  template <class T>
  static RoundedMatrix<T> as_it_is_or_rounded(float* workspace, const StyleMatrix& matrix,
                                              const MapSize& size, simt::StreamHandle stream) {
    if constexpr (std::is_same_v<T, bfloat16>) {
      if (matrix.narrow != nullptr) {
        return {matrix.narrow, nullptr, static_cast<int>(size.channels)};
      }
    }
    return round_matrix<T>(workspace, matrix, size, ColumnOrder::plain, stream);
  }

  template <class T, int columns>
  static void launch_tiles(T* grad, const T* features, const StyleMatrix& matrix,
                           const MapSize& size, const GradientEpilogue& epilogue, float* workspace,
                           simt::StreamHandle stream) {
    const RoundedMatrix<T> rounded = as_it_is_or_rounded<T>(workspace, matrix, size, stream);
    const bool packed = can_pack<T>(widest<T>, size.channels, {grad, features, rounded.values});
    constexpr std::size_t most_resident = 32U << 10U;
    constexpr int slice = 4 * widest<T>;
    const auto slices = static_cast<std::size_t>(round_up(size.channels, slice) / slice);
    const bool resident = slices * matrix_slice_bytes<columns> <= most_resident;
    const std::size_t matrix_slices = resident ? slices : style_backward_stages;
    simt::Grid grid = style_backward_grid("style_backward_mma", size, columns);
    grid.shared_bytes =
        style_backward_stages * feature_slice_bytes + matrix_slices * matrix_slice_bytes<columns>;
    launch_persistent(packed ? style_backward_mma_kernel<T, columns, true>
                             : style_backward_mma_kernel<T, columns, false>,
                      grid, stream, grad, features, rounded, size.pixels(),
                      static_cast<int>(size.channels), resident, epilogue);
  }

  template <class T>
  static void launch(T* grad, const T* features, const StyleMatrix& matrix, const MapSize& size,
                     const GradientEpilogue& epilogue, float* workspace,
                     simt::StreamHandle stream) {
    const auto run = size.channels <= 64 ? launch_tiles<T, 64> : launch_tiles<T, 128>;
    run(grad, features, matrix, size, epilogue, workspace, stream);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
