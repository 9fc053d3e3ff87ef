// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "host/engine/config.hpp"
#include "host/engine/tiling.hpp"

namespace impasto {

/// How pictures are cut to be stylized within Config::memory.
struct FittingTiles {
  TileSize size;       ///< the largest that fit, else the least; without limits: no tiles
  bool filed = false;  ///< what is looked at once an iteration, in a file: only where it helps
  std::string shortage = {};  ///< why nothing fits, if so: how much the least needs
  std::size_t least = 0;      ///< that many bytes
};

/// First with everything in memory. Where not even the smallest tiles fit so, what a run looks at once an
/// iteration goes to a file: copies of the picture, the content's target, Adam's moments.
///
/// For pictures of the shape `pixels` (N,H,W,3) and style pictures of the shapes `styles`. The backend
/// prepares the operations of the plans that are considered. Throws ErrorKind::usage where tiles are
/// needed and the objective does not allow them.
FittingTiles fitting_tiles(Backend& backend, const Network& network, const Config& config,
                           const Shape& pixels, const std::vector<Shape>& styles);

}  // namespace impasto
