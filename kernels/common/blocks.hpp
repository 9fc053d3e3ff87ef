// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

namespace impasto::kernels {

/// Blocks for a loop that strides over the grid: one for each `per_block` items, at most `most`.
/// With 8192 the largest GPU (132 to 170 SMs, two blocks each) runs about 30 waves, so that a last
/// wave that is not full costs little. More blocks would only add their own start.
inline unsigned blocks_for(std::int64_t items, std::int64_t per_block, std::int64_t most = 8192) {
  const std::int64_t blocks = (items + per_block - 1) / per_block;
  return static_cast<unsigned>(std::clamp<std::int64_t>(blocks, 1, most));
}

/// Blocks that share the sum of `items` values; each writes one double. The number is the same on
/// every device, and so is the sum. At most three waves on the largest GPU, and few enough for the
/// one block that adds what they wrote.
inline std::int64_t sum_blocks(std::int64_t items) { return blocks_for(items, 4096, 1024); }

}  // namespace impasto::kernels
