// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/register_tile.cuh"
#include "kernels/style_backward/join_gradient.cuh"
#include "kernels/style_loss/style_matrix.cuh"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

inline constexpr int style_backward_rows = 128;  // pixels per tile
inline constexpr int style_backward_threads = 256;
/// Blocks per SM that __launch_bounds__ must leave registers for.
template <int columns, bool packed>
inline constexpr int style_backward_blocks = !packed         ? 1
                                             : columns == 64 ? 3
                                                             : 2;

/// Whether F, the gradient and M can be read and written in packs.
template <class T>
bool style_backward_in_packs(const T* grad, const T* features, const StyleMatrix& matrix,
                             const MapSize& size) {
  return can_pack<T>(widest<T>, size.channels, {grad, features}) &&
         can_pack_matrix(4, size.channels, matrix);
}

/// Blocks along pixels, channels and images.
inline simt::Grid style_backward_grid(const char* name, const MapSize& size, int columns) {
  const std::int64_t pixel_tiles = (size.pixels() + style_backward_rows - 1) / style_backward_rows;
  const std::int64_t channel_tiles = (size.channels + columns - 1) / columns;
  return {name,
          {static_cast<unsigned>(pixel_tiles), static_cast<unsigned>(channel_tiles),
           static_cast<unsigned>(size.batch)},
          {style_backward_threads}};
}

/// Tiles in shared memory and in registers. Attacks the loads of rung 1, two for each multiply-add.
///
/// A block computes 128 pixels × `columns` channels, a thread 8×8 of them (8×4 of 64 columns) in
/// registers. blockIdx is (tile of pixels, tile of channels, image). A slice of 16 channels of F
/// and 16 rows of M lie in shared memory, F transposed, so that both are read along rows. A warp
/// stores 16 pixels of the rows k and k + 8 at once; in the upper eight rows neighbouring groups of
/// 16 pixels are swapped, so that the two rows use different banks. While a slice is multiplied the
/// next one is on its way to registers, then to the other half of the shared memory: one barrier a
/// slice. Bound by multiply-adds: C of them for three values that are moved.
template <class T, int columns, bool packed>
__global__ void __launch_bounds__(style_backward_threads, style_backward_blocks<columns, packed>)
    style_backward_fp32_kernel(T* grad, const T* features, StyleMatrix matrix, std::int64_t pixels,
                               int channels, GradientEpilogue epilogue) {
  constexpr int slice = 16;
  constexpr int rows = style_backward_rows;
  constexpr int threads = style_backward_threads;
  constexpr int own_columns = columns / 16;
  constexpr int column_step = columns / (own_columns / 4);
  constexpr int width = widest<T>;
  constexpr int feature_loads = 8 / width;
  constexpr int matrix_loads = slice * columns / threads / 4;
  SIMT_SHARED(float, feature_slices, [2][slice][rows]);
  SIMT_SHARED(float, matrix_slices, [2][slice][columns]);

  const int C = channels;
  const int t = static_cast<int>(threadIdx.x);
  const std::int64_t first_pixel = std::int64_t{blockIdx.x} * rows;
  const int first_channel = static_cast<int>(blockIdx.y) * columns;
  const std::int64_t tile = (blockIdx.z * pixels + first_pixel) * C;
  const int pixels_left =
      pixels - first_pixel < rows ? static_cast<int>(pixels - first_pixel) : rows;
  // What this thread loads: eight values of a pixel, and a group of four columns.
  const int own_k = t % 2 * 8;
  const int own_row = t * 4 / columns;
  const int own_column = first_channel + t * 4 % columns;
  const T* own_features = features + tile + std::int64_t{t / 2} * C + own_k;
  const std::int64_t own_matrix = (std::int64_t{blockIdx.z} * C + own_row) * C + own_column;

  Pack<T, width> feature_packs[feature_loads];
  Pack<float, 4> matrix_packs[matrix_loads];
  const auto load = [&](int k0) {
#pragma unroll
    for (int l = 0; l < feature_loads; ++l) {
      const int k = k0 + own_k + l * width;
      const T* from = own_features + k0 + l * width;
      const bool inside = t / 2 < pixels_left;
      if constexpr (packed) {
        feature_packs[l] = inside && k < C ? load_pack<width>(from) : Pack<T, width>{};
      } else {
#pragma unroll
        for (int v = 0; v < width; ++v) {
          feature_packs[l].values[v] = inside && k + v < C ? from[v] : T{};
        }
      }
    }
#pragma unroll
    for (int l = 0; l < matrix_loads; ++l) {
      const int k = k0 + l * threads * 4 / columns;
      const std::int64_t from = own_matrix + std::int64_t{k} * C;
      const bool inside = own_row + k < C;
      if constexpr (packed) {
        matrix_packs[l] =
            inside && own_column < C ? load_matrix_pack<4>(matrix, from) : Pack<float, 4>{};
      } else {
#pragma unroll
        for (int v = 0; v < 4; ++v) {
          matrix_packs[l].values[v] =
              inside && own_column + v < C ? load_matrix_value(matrix, from + v) : 0.0F;
        }
      }
    }
  };
  const auto keep = [&](int half) {
#pragma unroll
    for (int v = 0; v < 8; ++v) {
      feature_slices[half][own_k + v][t / 2 ^ own_k * 2] =
          static_cast<float>(feature_packs[v / width].values[v % width]);
    }
#pragma unroll
    for (int l = 0; l < matrix_loads; ++l) {
      const int row = own_row + l * threads * 4 / columns;
      store_pack<4>(&matrix_slices[half][row][t * 4 % columns], matrix_packs[l]);
    }
  };

  const int i0 = t / 16 * 4;
  const int j0 = t % 16 * 4;
  const bool active = i0 < pixels_left && first_channel + j0 < C;
  float sum[8][own_columns] = {};
  int half = 0;
  if (packed) load(0);
  for (int k = 0; k < C; k += slice) {
    if (!packed) load(k);
    keep(half);
    __syncthreads();
    if (packed && k + slice < C) load(k + slice);
    if (active) {
#pragma unroll
      for (int upper = 0; upper < slice; upper += 8) {
#pragma unroll 1  // two steps at once do not fit into the registers
        for (int s = upper; s < upper + 8; ++s) {
          add_outer_product<rows / 2, column_step>(sum, &feature_slices[half][s][i0 ^ upper * 2],
                                                   &matrix_slices[half][s][j0]);
        }
      }
    }
    half = 1 - half;
  }

#pragma unroll
  for (int r = 0; r < 8; ++r) {
    const int i = i0 + r / 4 * (rows / 2) + r % 4;
    if (i >= pixels_left) continue;
#pragma unroll
    for (int g = 0; g < own_columns / 4; ++g) {
      const int c = first_channel + j0 + g * column_step;
      const float values[4] = {sum[r][4 * g], sum[r][4 * g + 1], sum[r][4 * g + 2],
                               sum[r][4 * g + 3]};
      join_gradient<packed>(grad, features, tile + std::int64_t{i} * C + c, C - c, values,
                            epilogue);
    }
  }
}

struct StyleBackwardRegisterTile {
  template <class T>
  static void launch(T* grad, const T* features, const StyleMatrix& matrix, const MapSize& size,
                     const GradientEpilogue& epilogue, float* /*workspace*/,
                     simt::StreamHandle stream) {
    const bool packed = style_backward_in_packs(grad, features, matrix, size);
    const bool narrow = size.channels <= 64;
    const auto kernel = narrow   ? packed ? style_backward_fp32_kernel<T, 64, true>
                                          : style_backward_fp32_kernel<T, 64, false>
                          : packed ? style_backward_fp32_kernel<T, 128, true>
                                 : style_backward_fp32_kernel<T, 128, false>;
    simt::launch(kernel, style_backward_grid("style_backward_fp32", size, narrow ? 64 : 128),
                 stream, grad, features, matrix, size.pixels(), static_cast<int>(size.channels),
                 epilogue);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
