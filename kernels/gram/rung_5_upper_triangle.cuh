// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/gram/gram_tile.cuh"
#include "kernels/gram/rung_4_register_tile.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Rung 4 for the tiles on and above the diagonal only. A value above it is stored twice, as G[i,j]
/// and G[j,i]. Attacks the multiply-adds: 3 tiles of 4 are computed at C = 128, 36 of 64 at 512.
/// The mirrored stores are not coalesced, but there are few: C² for a sum over all pixels. blockIdx
/// is (tile of the triangle, image).
template <class T>
__global__ void __launch_bounds__(256)
    gram_upper_triangle_kernel(float* gram, const T* features, std::int64_t pixels,
                               std::int64_t channels) {
  using Sum = GramRegisterSum<T>;
  SIMT_SHARED(typename Sum::Slice, slices, [2]);
  unsigned tile_row = 0;
  unsigned tile_column = 0;
  tile_coordinates(blockIdx.x, static_cast<unsigned>((channels + Sum::tile - 1) / Sum::tile),
                   tile_row, tile_column);
  const std::int64_t i = std::int64_t{tile_row} * Sum::tile;
  const std::int64_t j = std::int64_t{tile_column} * Sum::tile;
  Sum sum;
  sum.add(slices[0], slices[1], features + blockIdx.y * pixels * channels, pixels, channels, i, j);
  float* image = gram + blockIdx.y * channels * channels;
#pragma unroll
  for (int r = 0; r < 4; ++r) {
    const std::int64_t own_i = i + Sum::own_row() + r;
#pragma unroll
    for (int c = 0; c < 4; ++c) {
      const std::int64_t own_j = j + Sum::own_column() + c;
      if (own_i >= channels || own_j >= channels) continue;
      image[own_i * channels + own_j] = sum.values[r][c];
      if (tile_row != tile_column) image[own_j * channels + own_i] = sum.values[r][c];
    }
  }
}

struct GramUpperTriangle {
  template <class T>
  static void launch(float* gram, const T* features, const MapSize& size, float* /*workspace*/,
                     simt::StreamHandle stream) {
    const std::int64_t side = (size.channels + gram_register_tile - 1) / gram_register_tile;
    const simt::Grid grid{
        "gram_upper_triangle",
        {static_cast<unsigned>(side * (side + 1) / 2), static_cast<unsigned>(size.batch)},
        {256}};
    simt::launch(gram_upper_triangle_kernel<T>, grid, stream, gram, features, size.pixels(),
                 size.channels);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
