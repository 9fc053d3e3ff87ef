// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

namespace impasto::kernels {

/// Blocks for a loop that strides over the grid: enough for every item, at most `most`. 32 waves on
/// the largest GPU (132 to 170 processors, two blocks each) hide the last wave's emptiness; more
/// only add their own start.
inline unsigned blocks_for(std::int64_t items, std::int64_t per_block, std::int64_t most = 8192) {
  const std::int64_t blocks = (items + per_block - 1) / per_block;
  return static_cast<unsigned>(std::clamp<std::int64_t>(blocks, 1, most));
}

/// Blocks that share the sum of `items` values, each writing one double. On every device the same,
/// so that the sum is too: at most enough for three waves on the largest GPU, and few for the one
/// block that adds what they wrote.
inline std::int64_t sum_blocks(std::int64_t items) { return blocks_for(items, 4096, 1024); }

}  // namespace impasto::kernels
