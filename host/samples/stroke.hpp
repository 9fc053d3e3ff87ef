// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "host/samples/draw.hpp"

namespace impasto::samples {

/// One touch of a loaded brush: a curve, the two colours that have not quite mixed on the brush,
/// and the thickness of the paint. Lengths are in heights of the picture.
struct Stroke {
  static constexpr std::size_t points = 9;
  std::array<Point, points> path;
  float half_width = 0;
  float thickness = 0;
  Colour main;
  Colour streak;
  std::uint32_t seed = 0;
};

/// Wet paint, for each pixel: its colour, the height it stands at, and the part still bare.
struct Canvas {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<Colour> colour;
  std::vector<float> relief;
  std::vector<float> bare;
};

/// Paints the strokes, the last one on top. It goes from the top down, so that covered paint costs
/// nothing. Bands of the canvas are painted on all threads; each pixel sees its strokes in the same
/// order on any number of them.
void lay_strokes(const std::vector<Stroke>& strokes, Colour ground, Canvas& canvas);

/// The canvas lit from the upper left: ridges of paint catch the light and throw soft shade.
std::vector<Colour> light_relief(const Canvas& canvas);

}  // namespace impasto::samples
