// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/gram/gram_tile.cuh"
#include "kernels/gram/rung_4_register_tile.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Rung 4 with the symmetry of G: only tiles on and above the diagonal are computed, and a value
/// above it is stored twice, as G[i,j] and G[j,i]. On the diagonal both factors are the same slice,
/// which is loaded once. Attacks the multiply-adds and the loads: 3 tiles of 4 are computed at
/// C = 128, 36 of 64 at 512. The mirrored stores are not coalesced, but there are few: C² for a sum
/// over all pixels. blockIdx is (tile of the triangle, image).
template <class T>
__global__ void __launch_bounds__(GramSum4x4<T>::threads)
    gram_upper_triangle_kernel(float* gram, const T* features, std::int64_t pixels,
                               std::int64_t channels) {
  SIMT_SHARED(typename GramSum4x4<T>::Slice, slices, [2]);
  unsigned tile_row = 0;
  unsigned tile_column = 0;
  tile_coordinates(blockIdx.x,
                   static_cast<unsigned>((channels + gram_register_tile - 1) / gram_register_tile),
                   tile_row, tile_column);
  const bool diagonal = tile_row == tile_column;
  const std::int64_t row = std::int64_t{tile_row} * gram_register_tile;
  const std::int64_t column = std::int64_t{tile_column} * gram_register_tile;
  GramSum4x4<T> sum;
  sum.add(slices[0], slices[diagonal ? 0 : 1], features + blockIdx.y * pixels * channels, pixels,
          channels, row, column);
  float* image = gram + blockIdx.y * channels * channels;
  sum.each([&](int i, int j, float value) {
    if (row + i >= channels || column + j >= channels) return;
    image[(row + i) * channels + column + j] = value;
    if (!diagonal) image[(column + j) * channels + row + i] = value;
  });
}

struct GramUpperTriangle {
  template <class T>
  static void launch(float* gram, const T* features, const MapSize& size, float* /*workspace*/,
                     simt::StreamHandle stream) {
    const std::int64_t side = (size.channels + gram_register_tile - 1) / gram_register_tile;
    const simt::Grid grid{
        "gram_upper_triangle",
        {static_cast<unsigned>(side * (side + 1) / 2), static_cast<unsigned>(size.batch)},
        {GramSum4x4<T>::threads}};
    simt::launch(gram_upper_triangle_kernel<T>, grid, stream, gram, features, size.pixels(),
                 size.channels);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
