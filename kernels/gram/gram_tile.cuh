// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "simt/cuda.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

struct GramSplit {
  std::int64_t pixels;    ///< of the image
  std::int64_t partials;  ///< per image
  int pixels_per_split;
  int channels;
};

/// What one block of the first stage works on: a tile of one image's Gram matrix, and one split of
/// the pixels. blockIdx is (tile, split, image).
struct GramTile {
  int row;             ///< the first of the tile's channels along i
  int column;          ///< and along j
  int pixels;          ///< in this split
  std::int64_t first;  ///< offset of its first pixel in the feature map
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
  const int side = (split.channels + tile - 1) / tile;
  tile_coordinates(blockIdx.x, static_cast<unsigned>(side), row, column);
  const std::int64_t first = std::int64_t{blockIdx.y} * split.pixels_per_split;
  const std::int64_t left = split.pixels - first;
  return {static_cast<int>(row) * tile, static_cast<int>(column) * tile,
          left < split.pixels_per_split ? static_cast<int>(left) : split.pixels_per_split,
          (blockIdx.z * split.pixels + first) * split.channels};
}

/// Offset of the block's partial sums.
template <int tile>
__device__ __forceinline__ std::int64_t gram_partial(const GramSplit& split) {
  const std::int64_t index = std::int64_t{blockIdx.y} * gridDim.x + blockIdx.x;
  return blockIdx.z * split.partials + index * tile * tile;
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
