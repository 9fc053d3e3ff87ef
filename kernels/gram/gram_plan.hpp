// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// How a Gram matrix is cut into work: the upper triangle into square tiles, and the sum over
/// pixels into splits. The size alone decides, so that every GPU sums in the same order.
struct GramPlan {
  int tile;                       ///< channels along a tile's side
  std::int64_t tiles;             ///< on and above the diagonal
  std::int64_t splits;            ///< of the pixels
  std::int64_t pixels_per_split;  ///< the last split may have fewer
  std::int64_t partials;          ///< floats of partial sums per image

  explicit GramPlan(const MapSize& size) {
    // Blocks that run at once on every GPU from an A100 on, also where a tile of 128, with its 48 KB
    // of shared memory, has an SM almost to itself: an RTX 4090 has 128 SMs. Each of these blocks
    // writes 64 KB of partial sums, which the second stage reads. Those of 64 channels write 16 KB
    // and share SMs. A running float sum over more than 4096 pixels would lose digits. Splits are
    // whole slices, which have at most 64 pixels.
    const std::int64_t most_blocks = size.channels <= 64 ? 264 : 128;
    constexpr std::int64_t least_pixels = 256;
    constexpr std::int64_t most_pixels = 4096;
    constexpr std::int64_t slice = 64;
    const auto parts = [](std::int64_t count, std::int64_t per_part) {
      return (count + per_part - 1) / per_part;
    };
    const std::int64_t P = size.pixels();
    tile = size.channels <= 64 ? 64 : 128;
    const std::int64_t side = parts(size.channels, tile);
    tiles = side * (side + 1) / 2;
    const std::int64_t splits_wanted = std::max<std::int64_t>(1, most_blocks / tiles);
    const std::int64_t pixels = std::clamp(parts(P, splits_wanted), least_pixels, most_pixels);
    pixels_per_split = parts(pixels, slice) * slice;
    splits = parts(P, pixels_per_split);
    partials = splits * tiles * tile * tile;
  }
};

}  // namespace impasto::kernels
