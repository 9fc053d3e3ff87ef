// SPDX-License-Identifier: MIT
#include <cstddef>

#include "samples/motif.hpp"
#include "samples/samples.hpp"
#include "samples/stroke.hpp"

namespace impasto {
namespace samples {
namespace {

constexpr Colour outline = paint(0x101A3C);
constexpr Colour poppy = paint(0xCC2E27);

bool inside_tree(Point p) {
  return std::any_of(trees().begin(), trees().end(),
                     [&](const Tree& tree) { return outside(tree, p) < 0; });
}

Stroke make_stroke(Point middle, float long_side, float half_width, std::uint32_t seed) {
  Stroke stroke;
  const auto luck = [&](std::int32_t which) { return chance(which, 7, seed); };
  constexpr std::size_t half = Stroke::points / 2;
  const float step = long_side * (0.6F + 0.8F * luck(0)) / (Stroke::points - 1);
  stroke.path[half] = middle;
  for (std::size_t i = 0; i < half; ++i) {
    stroke.path[half + i + 1] = stroke.path[half + i] + step * flow_at(stroke.path[half + i]);
    stroke.path[half - i - 1] = stroke.path[half - i] - step * flow_at(stroke.path[half - i]);
  }
  stroke.half_width = half_width * (0.7F + 0.6F * luck(1));
  stroke.thickness = stroke.half_width * (0.5F + 0.5F * luck(2));
  stroke.main = colour_at(middle, luck(3));
  stroke.streak = mix(colour_at(middle, luck(4)), paint(0xFFF6DC), 0.12F);
  stroke.seed = seed;
  return stroke;
}

/// Wisps that climb the trees, finer than what they stand before.
void add_trees(std::vector<Stroke>& strokes) {
  for (std::int32_t which = 0; which < static_cast<std::int32_t>(trees().size()); ++which) {
    const Tree& tree = trees()[static_cast<std::size_t>(which)];
    for (std::int32_t i = 0; i < 90; ++i) {
      const Point middle{tree.foot.x + 2.6F * tree.half_width * (chance(which, i, 81) - 0.5F),
                         tree.foot.y - tree.height * chance(which, i, 82)};
      if (outside(tree, middle) > 0) continue;
      const auto seed = static_cast<std::uint32_t>(chance(which, i, 83) * 0x1p24F);
      strokes.push_back(
          make_stroke(middle, 0.16F * tree.height + 0.01F, 0.12F * tree.half_width + 0.002F, seed));
    }
  }
}

/// Dark touches along the line where one ground meets the next.
void add_outline(std::vector<Stroke>& strokes, float aspect, float (*line)(float),
                 std::uint32_t seed) {
  const auto count = static_cast<std::int32_t>(std::ceil(aspect / 0.07F)) + 2;
  for (std::int32_t i = -count / 2; i <= count / 2; ++i) {
    const float x = 0.07F * (static_cast<float>(i) + 0.5F * chance(i, 0, seed));
    Stroke stroke =
        make_stroke({x, line(x)}, 0.07F, 0.0045F, scramble(seed + static_cast<std::uint32_t>(i)));
    for (std::size_t k = 0; k < Stroke::points; ++k) {
      const float at = x + 0.01F * (static_cast<float>(k) - 4);
      stroke.path[k] = {at, line(at)};
    }
    stroke.main = outline;
    stroke.streak = mix(outline, stroke.streak, 0.35F);
    strokes.push_back(stroke);
  }
}

/// Short dabs of red among the wheat, larger towards the front.
void add_poppies(std::vector<Stroke>& strokes, float aspect) {
  const auto columns = static_cast<std::int32_t>(std::ceil(aspect / 0.1F)) + 1;
  for (std::int32_t row = 0; row < 5; ++row) {
    for (std::int32_t column = -columns; column <= columns; ++column) {
      const Point middle{(static_cast<float>(column) + chance(column, row, 71)) * 0.05F,
                         0.75F + 0.05F * (static_cast<float>(row) + chance(column, row, 72))};
      const float depth = middle.y - wheat_line(middle.x);
      if (depth < 0.03F || chance(column, row, 73) > 0.45F || inside_tree(middle)) continue;
      const auto seed = static_cast<std::uint32_t>(chance(column, row, 74) * 0x1p24F);
      Stroke stroke = make_stroke(middle, 0.012F + 0.05F * depth, 0.005F + 0.025F * depth, seed);
      stroke.main = poppy;
      stroke.streak = mix(poppy, paint(0xF58A4B), chance(column, row, 75));
      strokes.push_back(stroke);
    }
  }
}

/// Strokes on a jittered grid, shuffled so that none lies systematically over its neighbour.
void add_layer(std::vector<Stroke>& strokes, float aspect, float spacing, float long_side,
               float half_width, std::uint32_t seed) {
  const auto columns = static_cast<std::int32_t>(std::ceil(0.5F * aspect / spacing)) + 1;
  const auto rows = static_cast<std::int32_t>(std::ceil(1 / spacing)) + 1;
  const std::size_t first = strokes.size();
  for (std::int32_t row = -1; row < rows; ++row) {
    for (std::int32_t column = -columns; column < columns; ++column) {
      const Point middle{(static_cast<float>(column) + chance(column, row, seed)) * spacing,
                         (static_cast<float>(row) + chance(column, row, seed + 1)) * spacing};
      const auto own = static_cast<std::uint32_t>(chance(column, row, seed + 2) * 0x1p24F);
      strokes.push_back(make_stroke(middle, long_side, half_width, own));
    }
  }
  std::stable_sort(strokes.begin() + static_cast<std::ptrdiff_t>(first), strokes.end(),
                   [](const Stroke& a, const Stroke& b) { return a.seed < b.seed; });
}

}  // namespace
}  // namespace samples

Image draw_painting(std::int64_t height, std::int64_t width) {
  using namespace samples;
  constexpr std::int64_t fine = 2;  // drawn this much larger, then averaged: smooth edges
  Canvas canvas{fine * height, fine * width, {}, {}, {}};
  const auto pixels = static_cast<std::size_t>(canvas.height * canvas.width);
  canvas.colour.assign(pixels, {});
  canvas.relief.assign(pixels, 0.0F);
  const float aspect = static_cast<float>(width) / static_cast<float>(height);
  std::vector<Stroke> strokes;
  add_layer(strokes, aspect, 0.026F, 0.13F, 0.016F, 1);
  add_layer(strokes, aspect, 0.027F, 0.10F, 0.0115F, 11);
  for (const auto line : {far_line, near_line, wheat_line}) add_outline(strokes, aspect, line, 5);
  add_layer(strokes, aspect, 0.025F, 0.06F, 0.0075F, 21);
  add_trees(strokes);
  add_poppies(strokes, aspect);
  lay_strokes(strokes, paint(0x5A4632), canvas);
  const auto lit = light_relief(canvas);

  Image image{
      height, width, std::vector<float>(static_cast<std::size_t>(3 * height * width)), {}, 8};
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      Colour sum;
      for (std::int64_t k = 0; k < fine * fine; ++k) {
        sum = sum + lit[static_cast<std::size_t>((fine * y + k / fine) * canvas.width + fine * x +
                                                 k % fine)];
      }
      float* out = &image.rgb[static_cast<std::size_t>(3 * (y * width + x))];
      constexpr float scale = 255.0F / (fine * fine);
      out[0] = std::min(255.0F, scale * sum.r);
      out[1] = std::min(255.0F, scale * sum.g);
      out[2] = std::min(255.0F, scale * sum.b);
    }
  }
  return image;
}

}  // namespace impasto
