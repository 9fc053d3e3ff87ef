// SPDX-License-Identifier: MIT
#include "host/engine/guides.hpp"

#include <cmath>

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
  return result;
}

std::vector<float> scaled(std::vector<float> values, double factor) {
  for (float& value : values) value = static_cast<float>(factor * static_cast<double>(value));
  return values;
}

}  // namespace

Guides make_guides(const Style& style, double weight, const Shape& picture_map,
                   const Shape& style_map) {
  MapMask picture = at_map(style.mask, picture_map);
  MapMask own = at_map(style.style_mask, style_map);
  require(picture.area > 0 && own.area > 0, "a mask is black everywhere");
  return {
      scaled(std::move(picture.values), std::pow(weight / picture.area, 0.25)),
      scaled(std::move(own.values), std::pow(weight * picture.area / (own.area * own.area), 0.25))};
}

}  // namespace impasto
