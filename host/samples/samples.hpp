// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "host/image/image.hpp"

namespace impasto {

/// Two pictures of the project's own making, drawn from formulas, the same on every machine: what
/// the demo uses, and what the built-in network is calibrated on.

/// The content: a landscape with structure at every scale (sky, mountains, houses, water, trees).
Image draw_scene(std::int64_t height, std::int64_t width);

/// The style: thick, directed brush strokes in a few strong colours.
Image draw_painting(std::int64_t height, std::int64_t width);

}  // namespace impasto
