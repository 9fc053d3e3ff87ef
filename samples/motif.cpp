// SPDX-License-Identifier: MIT
#include "samples/motif.hpp"

#include <array>
#include <cstddef>

namespace impasto::samples {
namespace {

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

const Tree* tree_at(Point p) {
  for (const Tree& tree : cypresses) {
    if (outside(tree, p) < 0) return &tree;
  }
  return nullptr;
}

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

}  // namespace

std::span<const Tree> trees() { return cypresses; }

float outside(const Tree& tree, Point p) {
  const float up = (tree.foot.y - p.y) / tree.height;
  const float sway = 0.35F * tree.half_width * wave(1.3F * up + 3 * tree.height);
  const float girth = std::sqrt(clamp01(up * 3)) * clamp01(1.0F - up) * (1.25F + 0.25F * up);
  if (girth <= 0) return 1;
  return std::abs(p.x - tree.foot.x - sway) / (tree.half_width * girth + 1e-4F) - 1;
}

float far_line(float x) { return 0.60F + 0.05F * noise({1.9F * x + 2, 0}, 39) - 0.03F * x; }
float near_line(float x) { return 0.655F + 0.045F * noise({1.7F * x + 4, 0}, 40) + 0.03F * x; }
float wheat_line(float x) { return 0.755F + 0.03F * noise({1.3F * x + 9, 0}, 41) + 0.03F * x; }

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

}  // namespace impasto::samples
