// SPDX-License-Identifier: MIT
#include <array>
#include <cstddef>
#include <span>

#include "samples/scene_parts.hpp"

namespace impasto::samples {
namespace {

/// Depth inside a convex shape, y up, whose corners go round against the clock.
float depth_in(std::span<const Point> corners, Point p) {
  float depth = 1;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const Point edge = unit(corners[(i + 1) % corners.size()] - corners[i]);
    depth = std::min(depth, dot(turn_left(edge), p - corners[i]));
  }
  return depth;
}

struct House {
  Point corner;  ///< lower left of the front
  float size;    ///< width of the front
  float length;  ///< of the side, in widths of the front
  Colour wall;
  Colour roof;
};
constexpr std::array houses{
    House{{0.435F, 0.640F}, 0.060F, 1.1F, paint(0xE9D5B0), paint(0x8C4A3A)},
    House{{0.255F, 0.672F}, 0.072F, 1.0F, paint(0xD9B98F), paint(0x9C4B33)},
    House{{0.430F, 0.755F}, 0.100F, 1.3F, paint(0xF0E0C2), paint(0xB2532F)}};
constexpr float eaves = 0.72F;
constexpr float ridge = 1.25F;
constexpr float rise = 0.10F;  // how much higher the far end stands

/// Evenly spaced lit windows with their bars; `at` is in widths of the front from the wall's
/// corner.
Colour windows_at(Point at, float width, float count, float pixel, Colour wall) {
  const float pitch = width / count;
  const Point pane{at.x - (std::floor(at.x / pitch) + 0.5F) * pitch, at.y - 0.40F};
  const float inside = std::min(0.28F * pitch - std::abs(pane.x), 0.14F - std::abs(pane.y));
  wall = mix(wall, paint(0x5A3A2A), cover(inside + 0.035F, pixel));
  const float bars = std::min(std::abs(pane.x), std::abs(pane.y - 0.02F)) - 0.011F;
  const Colour light = mix(paint(0xFFA62E), paint(0xFFEFA6), clamp01(0.55F - 4 * pane.y));
  return mix(wall, light, cover(std::min(inside, bars), pixel));
}

Colour roof_at(const House& house, Point at, float pixel) {
  const float down = (ridge - at.y + rise * (at.x - 0.5F) / house.length) * 9;
  const float row = std::floor(down);
  const float tile = chance(static_cast<std::int32_t>(std::floor(at.x * 12 + 0.5F * row)),
                            static_cast<std::int32_t>(row), 90);
  const float shown = ramp(0.08F, 0.02F, pixel);
  const float light = 0.86F +
                      shown * (0.24F * (tile - 0.5F) - 0.20F * ramp(0.7F, 1.0F, down - row)) +
                      0.10F * (1 - 0.1F * down);
  return light * mix(house.roof, paint(0xE08A4E), 0.25F);
}

Colour house_at(const House& house, Point at, float pixel, Colour behind) {
  const float end = 1 + house.length;
  const std::array side{Point{1, 0}, Point{end, rise}, Point{end, eaves + rise}, Point{1, eaves}};
  const std::array front{Point{0, 0}, Point{1, 0}, Point{1, eaves}, Point{0.5F, ridge},
                         Point{0, eaves}};
  const std::array roof{Point{1.08F, eaves - 0.06F}, Point{end + 0.08F, eaves + rise - 0.06F},
                        Point{0.5F + house.length, ridge + rise + 0.05F},
                        Point{0.5F, ridge + 0.05F}};
  const std::array board{Point{-0.08F, eaves - 0.10F}, Point{0.5F, ridge - 0.02F},
                         Point{0.5F, ridge + 0.06F}, Point{-0.08F, eaves - 0.02F}};
  const std::array chimney{Point{1.05F, 0.95F}, Point{1.22F, 0.95F}, Point{1.22F, 1.60F},
                           Point{1.05F, 1.60F}};
  const float stain = 0.07F * cloud_noise({7 * at.x, 7 * at.y}, 0.07F / pixel, 91);
  const float beams = std::min(std::abs(at.x - 0.5F), std::abs(at.y - eaves)) - 0.02F;

  const Colour shade = (0.70F + stain) * house.wall * Colour{0.93F, 0.94F, 1.06F};
  const float along = at.y - rise * (at.x - 1) / house.length;
  behind = mix(behind, windows_at({at.x - 1, along}, house.length, 3, pixel, shade),
               cover(depth_in(side, at), pixel));
  Colour wall = (0.97F + stain) * house.wall;
  wall = mix(wall, paint(0x6B4632), cover(-beams, pixel) * ramp(eaves - 0.05F, eaves, at.y));
  wall = at.y < 0.62F ? windows_at(at, 1, 2, pixel, wall) : wall;
  behind = mix(behind, wall, cover(depth_in(front, at), pixel));
  const float brick = 0.92F + 0.10F * noise({20 * at.x, 30 * at.y}, 92);
  behind = mix(behind, brick * paint(0x8A5648), cover(depth_in(chimney, at), pixel));
  behind = mix(behind, roof_at(house, at, pixel), cover(depth_in(roof, at), pixel));
  return mix(behind, paint(0x5D3A2B), cover(depth_in(board, at), pixel));
}

/// How much smaller things at height `y` of the meadow are than at the bottom of the picture.
float nearness(float y) { return clamp01((y - 0.5F) / 0.5F); }

float path_edge(Point p) {
  const float t = (1 - p.y) / 0.25F;
  const float middle = 0.06F + 0.42F * t * t * (1.6F - 0.6F * t) + 0.05F * wave(0.8F * t);
  return 0.16F * nearness(p.y) * nearness(p.y) * (1 + 0.5F * clamp01(-t)) - std::abs(p.x - middle);
}

Colour flowers_at(Point p, float pixel, Colour grass) {
  const float near = nearness(p.y);
  const float spacing = 0.016F;
  const auto column = static_cast<std::int32_t>(std::floor(p.x / spacing));
  const auto row = static_cast<std::int32_t>(std::floor(p.y / spacing));
  const float patch = noise({4 * p.x, 9 * p.y}, 95);
  if (chance(column, row, 96) > 0.22F + 0.55F * patch) return grass;
  const float radius = (0.0022F + 0.0022F * chance(column, row, 94)) * near;
  const float room = spacing - 2 * radius;
  const Point middle{static_cast<float>(column) * spacing + radius + room * chance(column, row, 97),
                     static_cast<float>(row) * spacing + radius + room * chance(column, row, 98)};
  constexpr std::array petals{paint(0xE8442E), paint(0xF4CF4A), paint(0xFFF4E4), paint(0xB765B0)};
  const float mood = chance(column, row, 99) + 0.8F * noise({6 * p.x, 9 * p.y}, 100);
  const auto kind = static_cast<std::size_t>(3.999F * clamp01(mood));
  const Point offset = p - middle;
  const float light = 1 - 0.25F * clamp01(0.5F + offset.y / (2 * radius));
  return mix(grass, light * petals[kind], cover(radius - length(offset), pixel));
}

}  // namespace

float bank_line(float x) {
  return 0.80F - 0.20F * ramp(0.0F, 0.36F, x) + 0.10F * ramp(-0.2F, -0.6F, x) +
         0.018F * noise({5 * x, 0}, 93) + 0.004F * noise({40 * x, 0}, 94);
}

Colour meadow_at(Point p, float pixel, Colour behind) {
  const float depth = p.y - bank_line(p.x);
  const float inside = cover(depth, pixel);
  if (inside <= 0) return behind;
  const float near = nearness(p.y);
  const float patch = cloud_noise({3.2F * p.x, 8 * p.y}, 0.04F / pixel, 70);
  const float blades = cloud_noise({75 * p.x, 24 * p.y}, 0.009F / pixel, 71) +
                       0.35F * ramp(0.004F, 0.0012F, pixel) * noise({260 * p.x, 75 * p.y}, 74);
  Colour grass = mix(paint(0x5F7F35), paint(0xB4A845), clamp01(0.45F + 0.8F * patch));
  grass = mix(grass, paint(0x2C5230), clamp01(0.25F - 1.1F * blades + 0.25F * near));
  grass = mix(grass, paint(0xE6C765), 0.55F * ramp(0.05F, 0.45F, blades) * ramp(1.0F, 0.3F, near));
  grass = flowers_at(p, pixel, grass);
  const float path = path_edge(p);
  const float worn = path + 0.03F * near * cloud_noise({24 * p.x, 30 * p.y}, 0.02F / pixel, 72);
  const float stones = cloud_noise({38 * p.x, 80 * p.y}, 0.012F / pixel, 73) +
                       0.4F * ramp(0.003F, 0.001F, pixel) * noise({230 * p.x, 330 * p.y}, 75);
  const float ruts = bell(path - 0.045F * near, 0.012F * near);
  Colour earth =
      mix(paint(0x94704A), paint(0xEACB98), clamp01(0.55F + 1.1F * stones - 0.35F * ruts));
  earth = mix(earth, paint(0xFFE3B0), 0.25F * ramp(1.0F, 0.4F, near));
  grass = mix(grass, earth, cover(worn, std::max(pixel, 0.008F * near)));
  const Colour edge = mix(paint(0x4B3B2B), grass, ramp(0.0F, 0.012F, depth));
  return mix(behind, edge, inside);
}

Colour houses_at(Point p, float pixel, Colour behind) {
  for (const House& house : houses) {
    const float scale = 1 / house.size;
    const Point at{(p.x - house.corner.x) * scale, (house.corner.y - p.y) * scale};
    if (at.x < -0.2F || at.x > 1.3F + house.length || at.y < -0.2F || at.y > 1.8F) continue;
    const float foot = at.y - rise * clamp01((at.x - 1) / house.length);
    const float across = std::min(at.x + 0.1F, 1.1F + house.length - at.x);
    behind = mix(behind, paint(0x2C4A2C), 0.75F * ramp(0.0F, 0.15F, across) * bell(foot, 0.06F));
    behind = house_at(house, at, pixel * scale, behind);
  }
  return behind;
}

Colour boat_at(Point p, float pixel, Colour behind) {
  constexpr Point foot{-0.10F, 0.615F};
  constexpr float scale = 1 / 0.075F;
  const Point at{(p.x - foot.x) * scale, (foot.y - p.y) * scale};
  if (std::abs(at.x) > 1 || at.y < -0.3F || at.y > 2) return behind;
  const std::array hull{Point{-0.45F, 0}, Point{0.40F, 0}, Point{0.62F, 0.22F},
                        Point{-0.58F, 0.18F}};
  const std::array main_sail{Point{0.0F, 0.30F}, Point{0.02F, 1.75F}, Point{-0.52F, 0.34F}};
  const std::array jib{Point{0.06F, 0.32F}, Point{0.58F, 0.34F}, Point{0.06F, 1.50F}};
  const float soft = pixel * scale;
  const float fold = 0.06F * wave(1.6F * at.y + 0.7F * at.x);
  behind = mix(behind, (0.93F + fold) * paint(0xFFF3DF), cover(depth_in(main_sail, at), soft));
  behind = mix(behind, (0.88F + fold) * paint(0xF3A65A), cover(depth_in(jib, at), soft));
  const float mast = std::min({0.018F - std::abs(at.x - 0.03F), at.y - 0.2F, 1.82F - at.y});
  behind = mix(behind, paint(0x4A3428), cover(mast, soft));
  const Colour planks = mix(paint(0x7E2F26), paint(0xF1E4CE), cover(at.y - 0.15F, soft));
  return mix(behind, planks, cover(depth_in(hull, at), soft));
}

}  // namespace impasto::samples
