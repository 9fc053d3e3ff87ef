// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "samples/draw.hpp"

/// What the painting shows: a sun and lights in a whirling sky, two ranges of hills, cypresses,
/// wheat. Lengths are in heights of the picture: x from the middle, y from the top down.
namespace impasto::samples {

struct Tree {
  Point foot;
  float height;
  float half_width;
};
std::span<const Tree> trees();
/// Below 0 inside the tree's flame.
float outside(const Tree& tree, Point p);

/// Where each ground begins, from the back to the front.
float far_line(float x);
float near_line(float x);
float wheat_line(float x);

/// The way a brush moves at `p`: a unit vector.
Point flow_at(Point p);

/// A paint for a touch at `p`; `luck` in [0,1) picks among those that suit it.
Colour colour_at(Point p, float luck);

}  // namespace impasto::samples
