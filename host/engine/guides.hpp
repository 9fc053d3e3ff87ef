// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <vector>

#include "host/core/tensor.hpp"
#include "host/engine/plan.hpp"

namespace impasto {

/// What a style with masks counts for, at a map of the picture and at one of the style picture.
///
/// T is the mask at the size of the map, each value the mean of the area that a pixel of the map stands
/// for; white where there is no mask. a = Σ_p T_p² / P is the share of the map that it covers, and
/// λ how much the style counts beside the others, whose mean is 1. With
///   weights w = T²/a of each map's pixels, whose mean is 1,     strength λ·a, a of the picture's mask
/// a style loss on weighted means, times the strength, has a gradient at a pixel that is λ·T_p² times
/// what it is without masks: a style is as strong in a small region as in a large one. A white mask
/// changes nothing.
struct Guides {
  std::vector<float> picture;  ///< weights of its map's pixels
  std::vector<float> style;
  double strength;
};
/// The weights w at one map. Refuses a mask that is black everywhere.
std::vector<float> guide_weights(const std::optional<Mask>& mask, const Shape& map);

Guides make_guides(const Style& style, double weight, const Shape& picture_map,
                   const Shape& style_map);

}  // namespace impasto
