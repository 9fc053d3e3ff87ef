// SPDX-License-Identifier: MIT
#include "host/objective/objective.hpp"

#include <algorithm>

#include "host/core/error.hpp"
#include "host/model/vgg19.hpp"

namespace impasto {
namespace {

void check_weight(double weight, std::string_view what) {
  if (!std::isfinite(weight) || weight < 0) {
    fail(ErrorKind::usage, "{}: expected a weight of 0 or more, found {}", what, weight);
  }
}

void check_layers(const std::vector<LayerWeight>& layers, std::string_view what) {
  for (auto layer = layers.begin(); layer != layers.end(); ++layer) {
    const std::size_t index = vgg19_index(layer->layer);
    check_weight(layer->weight, layer->layer);
    const bool repeated = std::any_of(layers.begin(), layer, [&](const LayerWeight& earlier) {
      return vgg19_index(earlier.layer) == index;
    });
    if (repeated) fail(ErrorKind::usage, "{} layer {} is given twice", what, layer->layer);
  }
}

bool any_weight(const std::vector<LayerWeight>& layers) {
  return std::any_of(layers.begin(), layers.end(),
                     [](const LayerWeight& layer) { return layer.weight > 0; });
}

}  // namespace

void check(const Objective& objective) {
  check_weight(objective.content_weight, "content weight");
  check_weight(objective.style_weight, "style weight");
  check_weight(objective.variation_weight, "total variation weight");
  check_layers(objective.content_layers, "content");
  check_layers(objective.style_layers, "style");
  if (objective.content_layers.empty() && objective.style_layers.empty()) {
    fail(ErrorKind::usage, "nothing to minimise: expected at least one content or style layer");
  }
  const bool content = objective.content_weight > 0 && any_weight(objective.content_layers);
  const bool style = objective.style_weight > 0 && any_weight(objective.style_layers);
  if (!content && !style && objective.variation_weight <= 0) {
    fail(ErrorKind::usage, "nothing to minimise: every weight is 0");
  }
}

}  // namespace impasto
