// SPDX-License-Identifier: MIT
#include "host/engine/guides.hpp"

#include "host/core/error.hpp"

namespace impasto {
namespace {

/// A mask at the size of a map, and the share of it that it covers.
struct MapMask {
  std::vector<float> values;
  double area = 0;
};

MapMask at_map(const std::optional<Mask>& mask, const Shape& map) {
  const auto pixels = static_cast<std::size_t>(map.pixels());
  if (!mask) return {std::vector<float>(pixels, 1), 1};
  MapMask result{averaged(*mask, map.height, map.width).values, 0};
  for (const float value : result.values) {
    result.area += static_cast<double>(value) * static_cast<double>(value);
  }
  result.area /= static_cast<double>(pixels);
  require(result.area > 0, "a mask is black everywhere");
  return result;
}

std::vector<float> weights_of(const MapMask& mask) {
  std::vector<float> weights = mask.values;
  for (float& value : weights) {
    const auto shown = static_cast<double>(value);
    value = static_cast<float>(shown * shown / mask.area);
  }
  return weights;
}

}  // namespace

std::vector<float> guide_weights(const std::optional<Mask>& mask, const Shape& map) {
  return weights_of(at_map(mask, map));
}

Guides make_guides(const Style& style, double weight, const Shape& picture_map,
                   const Shape& style_map) {
  const MapMask picture = at_map(style.mask, picture_map);
  const MapMask own = at_map(style.style_mask, style_map);
  return {weights_of(picture), weights_of(own), weight * picture.area};
}

}  // namespace impasto
