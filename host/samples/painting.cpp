// SPDX-License-Identifier: MIT
#include <array>
#include <cstddef>
#include <span>

#include "host/samples/draw.hpp"
#include "host/samples/samples.hpp"
#include "host/samples/stroke.hpp"

namespace impasto {
namespace samples {
namespace {

// The motif: a sun and lights in a whirling sky, two ranges of hills, cypresses, wheat. Lengths are
// in heights of the picture: x from the middle, y from the top down.

struct Whirl {
  Point centre;
  float radius;
  float strength;
};
constexpr std::array whirls{
    Whirl{{-0.30F, 0.27F}, 0.15F, 1.0F}, Whirl{{0.06F, 0.36F}, 0.10F, -0.9F},
    Whirl{{0.56F, 0.46F}, 0.09F, 0.8F},  Whirl{{-0.72F, 0.42F}, 0.12F, -0.8F},
    Whirl{{0.12F, 0.06F}, 0.07F, 0.6F},  Whirl{{1.0F, 0.2F}, 0.15F, 0.9F},
    Whirl{{-1.05F, 0.2F}, 0.15F, 0.9F}};

struct Light {
  Point centre;
  float radius;
};
constexpr std::array lights{Light{{0.40F, 0.185F}, 0.058F},  Light{{-0.58F, 0.13F}, 0.021F},
                            Light{{-0.05F, 0.155F}, 0.018F}, Light{{-0.27F, 0.47F}, 0.012F},
                            Light{{0.22F, 0.44F}, 0.014F},   Light{{0.92F, 0.36F}, 0.02F},
                            Light{{-0.92F, 0.32F}, 0.02F}};

struct Tree {
  Point foot;
  float height;
  float half_width;
};

constexpr std::array cypresses{
    Tree{{-0.47F, 0.87F}, 0.52F, 0.062F}, Tree{{-0.375F, 0.85F}, 0.33F, 0.045F},
    Tree{{0.50F, 0.77F}, 0.12F, 0.018F}, Tree{{0.535F, 0.775F}, 0.15F, 0.02F}};

constexpr std::array sky_paints{paint(0x0D1B4C), paint(0x15307F), paint(0x1F4AA8), paint(0x3271C4),
                                paint(0x5FA0D8), paint(0xB5D6E6), paint(0xF2EBCF)};
constexpr std::array glow_paints{paint(0xFFF8DC), paint(0xFFE873), paint(0xFBC92F),
                                 paint(0xE89A24), paint(0xB9C48A), paint(0x7FB4C8)};
constexpr std::array far_paints{paint(0x1B2A63), paint(0x33508F), paint(0x5B6FA8), paint(0x8C8FC0)};
constexpr std::array near_paints{paint(0x12304A), paint(0x1D5157), paint(0x2F7A5A), paint(0x76994A),
                                 paint(0xB9AE4C)};
constexpr std::array wheat_paints{paint(0x7A4A1E), paint(0xB9782A), paint(0xDDA22F),
                                  paint(0xF2C53D), paint(0xFBE27A)};
constexpr std::array leaf_paints{paint(0x0B1D2E), paint(0x123A36), paint(0x1E5B3C),
                                 paint(0x5B7A2C)};

/// Below 0 inside the tree's flame.
float outside(const Tree& tree, Point p) {
  const float up = (tree.foot.y - p.y) / tree.height;
  const float sway = 0.35F * tree.half_width * wave(1.3F * up + 3 * tree.height);
  const float girth = std::sqrt(clamp01(up * 3)) * clamp01(1.0F - up) * (1.25F + 0.25F * up);
  if (girth <= 0) return 1;
  return std::abs(p.x - tree.foot.x - sway) / (tree.half_width * girth + 1e-4F) - 1;
}

const Tree* tree_at(Point p) {
  for (const Tree& tree : cypresses) {
    if (outside(tree, p) < 0) return &tree;
  }
  return nullptr;
}

/// Where each ground begins, from the back to the front.
float far_line(float x) { return 0.60F + 0.05F * noise({1.9F * x + 2, 0}, 39) - 0.03F * x; }
float near_line(float x) { return 0.655F + 0.045F * noise({1.7F * x + 4, 0}, 40) + 0.03F * x; }
float wheat_line(float x) { return 0.755F + 0.03F * noise({1.3F * x + 9, 0}, 41) + 0.03F * x; }

enum class Ground : std::uint8_t { sky, far, near, wheat };

Ground ground_at(Point p) {
  if (p.y > wheat_line(p.x)) return Ground::wheat;
  if (p.y > near_line(p.x)) return Ground::near;
  return p.y > far_line(p.x) ? Ground::far : Ground::sky;
}

/// A picked colour; `tone` in [0,1] runs through the palette, `luck` breaks it up.
Colour pick(std::span<const Colour> palette, float tone, float luck) {
  const float last = static_cast<float>(palette.size() - 1);
  const float at = std::clamp(tone * last + 1.5F * (luck - 0.5F), 0.0F, last);
  return palette[static_cast<std::size_t>(at + 0.5F)];
}

/// Wind lines: level far from everything, curling into the whirls and around the lights.
Point sky_flow(Point p) {
  Point flow{1, 0.35F * noise(3.0F * p, 50)};
  for (const Whirl& whirl : whirls) {
    const Point offset = p - whirl.centre;
    const float pull = 4.5F * bell(length(offset), whirl.radius);
    flow = flow + whirl.strength * pull * unit(turn_left(offset)) - 0.25F * pull * unit(offset);
  }
  for (const Light& light : lights) {
    const Point offset = p - light.centre;
    const float near = ramp(6.0F, 2.5F, length(offset) / light.radius);
    flow = (1 - near) * flow + 6 * near * unit(turn_left(offset));
  }
  return unit(flow);
}

Colour sky_colour(Point p, float luck) {
  for (const Light& light : lights) {
    const float rings = length(p - light.centre) / (3.7F * light.radius);
    if (rings < 0.85F + 0.25F * luck) return pick(glow_paints, rings, luck);
  }
  float tone = 0.30F + 0.28F * noise({2.5F * p.x, 6 * p.y}, 60) - 0.22F * (0.35F - p.y);
  for (const Whirl& whirl : whirls) {
    const float r = length(p - whirl.centre) / whirl.radius;
    tone += 0.42F * bell(r, 1.3F) * (0.35F + wave(1.7F * r));
  }
  tone += 0.35F * ramp(0.42F, 0.62F, p.y);
  return pick(sky_paints, clamp01(tone), luck);
}

/// The way a brush moves at `p`: a unit vector.
Point flow_at(Point p) {
  if (tree_at(p) != nullptr) return unit({0.7F * noise({9 * p.x, 5 * p.y}, 53), -1});
  switch (ground_at(p)) {
    case Ground::sky: return sky_flow(p);
    case Ground::far: return unit({1, 0.8F * noise({4 * p.x, 4 * p.y}, 54) - 0.1F});
    case Ground::near: return unit({1, 1.3F * noise({3.5F * p.x, 5 * p.y}, 51)});
    case Ground::wheat: break;
  }
  const float depth = p.y - wheat_line(p.x);
  return unit({1, -0.6F + 1.2F * noise({2.2F * p.x, 3 * p.y}, 52) + 1.8F * depth});
}

/// A paint for a touch at `p`; `luck` in [0,1) picks among those that suit it.
Colour colour_at(Point p, float luck) {
  if (const Tree* tree = tree_at(p)) {
    return pick(leaf_paints, 0.35F + 0.9F * (p.x - tree->foot.x) / tree->half_width * 0.5F, luck);
  }
  switch (ground_at(p)) {
    case Ground::sky: return sky_colour(p, luck);
    case Ground::far: return pick(far_paints, 0.4F + 0.6F * noise({6 * p.x, 12 * p.y}, 63), luck);
    case Ground::near:
      return pick(near_paints, 0.42F + 0.75F * noise({5 * p.x, 13 * p.y}, 61), luck);
    case Ground::wheat: break;
  }
  return luck < 0.04F ? paint(0x3F6B4E)
                      : pick(wheat_paints, 0.58F + 0.65F * noise({3.5F * p.x, 13 * p.y}, 62), luck);
}

// The strokes that paint it.

constexpr Colour outline = paint(0x101A3C);
constexpr Colour poppy = paint(0xCC2E27);

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
  for (std::int32_t which = 0; which < static_cast<std::int32_t>(cypresses.size()); ++which) {
    const Tree& tree = cypresses[static_cast<std::size_t>(which)];
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
      if (depth < 0.03F || chance(column, row, 73) > 0.45F || tree_at(middle) != nullptr) continue;
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
  add_layer(strokes, aspect, 0.034F, 0.17F, 0.021F, 1);
  add_layer(strokes, aspect, 0.034F, 0.14F, 0.0155F, 11);
  for (const auto line : {far_line, near_line, wheat_line}) add_outline(strokes, aspect, line, 5);
  add_layer(strokes, aspect, 0.032F, 0.10F, 0.0105F, 21);
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
