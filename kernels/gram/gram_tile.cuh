// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "simt/cuda.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// The work of a first stage. A work tile is a tile of an image's Gram matrix, summed over a split
/// of the pixels; it has its own place in the partial sums. Work tiles are numbered tile by tile,
/// split by split, image by image: neighbours read the same pixels at the same time, and all but
/// the first read them from the L2 cache.
struct GramWork {
  std::int64_t pixels;    ///< of the image
  std::int64_t partials;  ///< per image
  int pixels_per_split;
  int channels;
  unsigned tiles;
  unsigned splits;
  unsigned count;  ///< work tiles of all images
};

/// One work tile.
struct GramWorkTile {
  int row;     ///< the tile's first channel along i
  int column;  ///< and along j
  int pixels;  ///< in this split
  int first_pixel;
  int image;
  std::int64_t first;    ///< offset of its first pixel in the feature map
  std::int64_t partial;  ///< offset of its partial sums
};

/// The row and column of a tile. The tiles on and above the diagonal are numbered row by row.
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
__device__ __forceinline__ GramWorkTile gram_work_tile(const GramWork& work, unsigned index) {
  const unsigned split = index / work.tiles % work.splits;
  const unsigned image = index / work.tiles / work.splits;
  unsigned row = 0;
  unsigned column = 0;
  tile_coordinates(index % work.tiles, static_cast<unsigned>((work.channels + tile - 1) / tile),
                   row, column);
  const std::int64_t first = std::int64_t{split} * work.pixels_per_split;
  const std::int64_t left = work.pixels - first;
  const unsigned in_image = index - image * work.splits * work.tiles;
  return {static_cast<int>(row) * tile,
          static_cast<int>(column) * tile,
          left < work.pixels_per_split ? static_cast<int>(left) : work.pixels_per_split,
          static_cast<int>(first),
          static_cast<int>(image),
          (image * work.pixels + first) * work.channels,
          image * work.partials + std::int64_t{in_image} * tile * tile};
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
