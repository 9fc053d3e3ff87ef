// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "host/model/network.hpp"
#include "host/objective/objective.hpp"

namespace impasto {

/// One content layer of an objective, with its target on the device.
struct ContentTerm {
  std::size_t layer = 0;
  Tensor target;  ///< (N,H,W,C), the content pictures' feature maps
  Tensor loss;    ///< (N): content_scale · Σ (F−P)²
  ContentLossScale scale;
};

/// One style layer of an objective, with its target on the device.
struct StyleTerm {
  std::size_t layer = 0;
  Tensor target;  ///< (1,C,C), the styles' mean normalised Gram matrix, for all pictures
  Tensor loss;    ///< (N): style_scale · Σ (gram_scale·G − A)²
  StyleLossScale scale;
};

/// The scales of a term at a feature map of the given shape; the gradient's include every weight.
ContentLossScale content_scale(const Objective& objective, double layer_weight, const Shape& shape);
StyleLossScale style_scale(const Objective& objective, double layer_weight, const Shape& shape);
VariationScale variation_scale(const Objective& objective, const Shape& pixels);

/// The term's gradient for Network::backward. The content's loss is computed with its gradient.
GradientTerm gradient_of(const ContentTerm& term);

/// Appends Gram matrix and style loss of a feature map; the returned term turns the loss's matrix
/// into a gradient.
GradientTerm add_style_loss(Schedule& schedule, const StyleTerm& term, TensorId features);

/// Appends the content loss alone.
void add_content_loss(Schedule& schedule, const ContentTerm& term, TensorId features);

}  // namespace impasto
