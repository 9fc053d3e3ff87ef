// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string>

#include "host/engine/quality.hpp"

namespace impasto::app {

/// Where score looks at a picture and its styles.
struct Measures {
  QualityLayers layers;
  std::string deepest;   ///< the layer that the measures and the objective need
  std::string why_no_e;  ///< why there is no E statistic with this network; empty where there is
};

/// The layers that the network has, that of a weight file or without one the built-in, as far down as
/// pooling leaves something of each picture.
Measures measures_of(const std::optional<std::string>& weights, const Objective& objective,
                     const Image& image, std::span<const Style> styles);

}  // namespace impasto::app
