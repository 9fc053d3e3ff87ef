// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "simt/cuda.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// What one block of the first stage works on: a tile of one image's Gram matrix, and one split of
/// the pixels. blockIdx is (tile, split, image).
struct GramTile {
  std::int64_t row;          ///< the first of the tile's channels along i
  std::int64_t column;       ///< and along j
  std::int64_t first_pixel;  ///< of the split
  std::int64_t end_pixel;
  std::int64_t image;    ///< offset of the image's features
  std::int64_t partial;  ///< offset of the tile's partial sums
};

struct GramSplit {
  std::int64_t pixels;  ///< of the image
  std::int64_t channels;
  std::int64_t pixels_per_split;
  std::int64_t partials;  ///< per image
};

/// Tiles on and above the diagonal are counted row by row.
__device__ __forceinline__ void tile_coordinates(unsigned index, unsigned side, unsigned& row,
                                                 unsigned& column) {
  row = 0;
  while (index >= side - row) {
    index -= side - row;
    ++row;
  }
  column = row + index;
}

template <int tile>
__device__ __forceinline__ GramTile gram_tile(const GramSplit& split) {
  unsigned row = 0;
  unsigned column = 0;
  tile_coordinates(blockIdx.x, static_cast<unsigned>((split.channels + tile - 1) / tile), row,
                   column);
  const std::int64_t first = blockIdx.y * split.pixels_per_split;
  const std::int64_t end = first + split.pixels_per_split;
  const std::int64_t index = std::int64_t{blockIdx.y} * gridDim.x + blockIdx.x;
  return {std::int64_t{row} * tile,
          std::int64_t{column} * tile,
          first,
          end < split.pixels ? end : split.pixels,
          blockIdx.z * split.pixels * split.channels,
          blockIdx.z * split.partials + index * tile * tile};
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
