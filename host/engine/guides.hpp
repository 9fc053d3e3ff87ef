// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "host/core/tensor.hpp"
#include "host/engine/plan.hpp"

namespace impasto {

/// The guides of a style with masks, for a map of the picture and for one of the style picture.
///
/// T is the mask at the size of the map, each value the mean of the area that a pixel of the map stands
/// for; white where there is no mask. a = Σ_p T_p² / P is the share of the picture that it covers, and
/// λ how much the style counts beside the others, whose mean is 1. With
///   guide of the picture: T · (λ/a)^¼     of the style: T' / √a' · (λ·a)^¼
/// a loss Σ (G − A)² of guided matrices is λ·a times that of matrices which are a mean over what the
/// mask covers, and its gradient at a pixel λ·T_p² times what it is without masks: a style is as
/// strong in a small region as in a large one. A white mask changes nothing.
struct Guides {
  std::vector<float> picture;
  std::vector<float> style;
};
Guides make_guides(const Style& style, double weight, const Shape& picture_map,
                   const Shape& style_map);

}  // namespace impasto
