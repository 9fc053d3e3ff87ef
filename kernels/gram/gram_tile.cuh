// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "simt/cuda.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// The pieces of a first stage's work, each of which goes to a place of its own in the partial
/// sums: a tile of an image's Gram matrix over a split of the pixels. Counted tile by tile, split
/// by split, image by image: neighbours read the same pixels at the same time, from the L2 cache
/// all but the first.
struct GramPieces {
  std::int64_t pixels;    ///< of the image
  std::int64_t partials;  ///< per image
  int pixels_per_split;
  int channels;
  unsigned tiles;
  unsigned splits;
  unsigned count;
};

/// One of them.
struct GramPiece {
  int row;     ///< the first of the tile's channels along i
  int column;  ///< and along j
  int pixels;  ///< in this split
  int first_pixel;
  int image;
  std::int64_t first;    ///< offset of its first pixel in the feature map
  std::int64_t partial;  ///< offset of its partial sums
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
__device__ __forceinline__ GramPiece gram_piece(const GramPieces& pieces, unsigned index) {
  const unsigned split = index / pieces.tiles % pieces.splits;
  const unsigned image = index / pieces.tiles / pieces.splits;
  unsigned row = 0;
  unsigned column = 0;
  tile_coordinates(index % pieces.tiles, static_cast<unsigned>((pieces.channels + tile - 1) / tile),
                   row, column);
  const std::int64_t first = std::int64_t{split} * pieces.pixels_per_split;
  const std::int64_t left = pieces.pixels - first;
  const unsigned in_image = index - image * pieces.splits * pieces.tiles;
  return {static_cast<int>(row) * tile,
          static_cast<int>(column) * tile,
          left < pieces.pixels_per_split ? static_cast<int>(left) : pieces.pixels_per_split,
          static_cast<int>(first),
          static_cast<int>(image),
          (image * pieces.pixels + first) * pieces.channels,
          image * pieces.partials + std::int64_t{in_image} * tile * tile};
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
