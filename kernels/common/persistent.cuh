// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Launches persistent blocks: as many as the GPU runs at once, fewer if there are fewer tiles. More
/// would wait for the first ones to end, with as much work before them.
template <class... Parameters, class... Arguments>
void launch_persistent(void (*kernel)(Parameters...), simt::Grid grid, simt::StreamHandle stream,
                       const Arguments&... arguments) {
  const unsigned share = simt::resident_blocks(kernel, grid) / (grid.blocks.y * grid.blocks.z);
  grid.blocks.x = std::min(grid.blocks.x, std::max(1U, share));
  simt::launch(kernel, grid, stream, arguments...);
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
