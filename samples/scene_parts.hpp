// SPDX-License-Identifier: MIT
#pragma once

#include "samples/draw.hpp"

/// The parts of the scene, each a colour for a point. Lengths are in heights of the picture: x from
/// the middle, y from the top down; `pixel` is the width of one, for soft edges and for leaving out
/// detail that is finer.
namespace impasto::samples {

constexpr Point sun{0.13F, 0.265F};
constexpr float shore = 0.50F;  // where the water meets the far land

/// Whether a point is inside an edge: `depth` is its distance, positive inside.
constexpr float cover(float depth, float pixel) { return clamp01(0.5F + depth / pixel); }

Colour sky_at(Point p, float pixel);

/// The ranges of mountains, the woods at their foot and the village on the far shore, over
/// `behind`.
Colour mountains_at(Point p, float pixel, Colour behind);

/// The meadow with its path and flowers, over `behind`.
Colour meadow_at(Point p, float pixel, Colour behind);
/// Where the meadow meets the water.
float bank_line(float x);

Colour houses_at(Point p, float pixel, Colour behind);
Colour broad_trees_at(Point p, float pixel, Colour behind);
Colour firs_at(Point p, float pixel, Colour behind);
Colour boat_at(Point p, float pixel, Colour behind);

}  // namespace impasto::samples
