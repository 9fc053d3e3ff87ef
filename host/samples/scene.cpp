// SPDX-License-Identifier: MIT
#include <array>
#include <cstddef>
#include <span>

#include "host/samples/draw.hpp"
#include "host/samples/samples.hpp"

// The scene is painted from the back to the front; each part gives the colour of a point over
// `behind`. Lengths are in heights of the picture: x from the middle, y from the top down. `pixel`
// is the width of one pixel, for soft edges and for leaving out finer detail.

namespace impasto {
namespace samples {
namespace {

constexpr Point sun{0.13F, 0.265F};
constexpr float shore = 0.50F;  // where the water meets the far land

/// Whether a point is inside an edge: `depth` is its distance, positive inside.
constexpr float cover(float depth, float pixel) { return clamp01(0.5F + depth / pixel); }

// Sky, mountains, and the woods and the village on the far shore.

constexpr Colour haze = paint(0xF6C79C);

float cloud_density(Point p, float pixel) {
  const Point q{1.9F * p.x + 5, 4.6F * p.y};
  const float finest = 0.12F / pixel;
  const float bend = cloud_noise({1.3F * q.x, 1.3F * q.y}, std::min(finest, 4.0F), 11);
  const float density = cloud_noise({q.x + 0.35F * bend, q.y + 0.5F * bend}, finest, 12);
  return density + 0.13F - 0.8F * std::abs(p.y - 0.13F);
}

Colour clear_sky(Point p) {
  const float up = clamp01(1 - p.y / 0.34F);
  Colour sky = mix(paint(0xFFB978), paint(0xFBD9A8), ramp(0.0F, 0.25F, up));
  sky = mix(sky, paint(0xB9CBD4), ramp(0.15F, 0.55F, up));
  sky = mix(sky, paint(0x6A97C6), ramp(0.45F, 0.85F, up));
  return mix(sky, paint(0x3C6BAA), ramp(0.7F, 1.1F, up));
}

/// A skyline: lower values of y are higher peaks.
float skyline(float x, float base, float rise, float stretch, float pixel, std::uint32_t seed) {
  const float finest = 0.3F / (pixel * stretch);
  return base - rise * (ridge_noise({stretch * x + 7, 0.5F}, finest, seed) - 0.35F);
}

/// Light and shade on a slope that drops away from its skyline.
float slope_light(Point p, float stretch, float pixel, std::uint32_t seed) {
  const float finest = 0.3F / (pixel * stretch);
  const Point q{1.05F * stretch * p.x, 0.95F * stretch * p.y};  // gullies run down
  const float here = ridge_noise(q, finest, seed);
  const float sunward = ridge_noise({q.x + 0.07F, q.y - 0.03F}, finest, seed);
  return 5.5F * (here - sunward);
}

Colour high_range(Point p, float pixel, Colour behind) {
  const float base = 0.315F - 0.085F * bell(p.x + 0.27F, 0.13F) - 0.03F * bell(p.x - 0.56F, 0.12F) +
                     0.045F * bell(p.x - sun.x, 0.09F);
  const float line = skyline(p.x, base, 0.20F, 2.1F, pixel, 21);
  const float inside = cover(p.y - line, pixel);
  if (inside <= 0) return behind;
  const float light = 0.8F * slope_light(p, 6.0F, pixel, 22);
  Colour rock = mix(paint(0x5A6C96), paint(0xC79A94), clamp01(0.45F + light));
  const float cold =
      0.285F - p.y + 0.10F * light + 0.05F * cloud_noise({7 * p.x, 5 * p.y}, 0.06F / pixel, 23);
  const Colour snow = mix(paint(0x93A5CC), paint(0xFFEBD3), clamp01(0.5F + 1.1F * light));
  rock = mix(rock, snow, ramp(0.0F, 0.03F, cold));
  return mix(behind, mix(rock, haze, 0.55F * ramp(0.30F, shore, p.y)), inside);
}

Colour middle_range(Point p, float pixel, Colour behind) {
  const float line = skyline(p.x, 0.425F, 0.10F, 3.4F, pixel, 25) + 0.03F * bell(p.x - 0.15F, 0.2F);
  const float inside = cover(p.y - line, pixel);
  if (inside <= 0) return behind;
  const float light = slope_light(p, 9.0F, pixel, 26);
  const Colour slope = mix(paint(0x35507A), paint(0x8C7F88), clamp01(0.4F + light));
  return mix(behind, mix(slope, haze, 0.45F * ramp(0.38F, shore, p.y)), inside);
}

Colour woods(Point p, float pixel, Colour behind) {
  const float tips = (0.007F + 0.006F * noise({23 * p.x, 0}, 30)) *
                     std::abs(wave(31 * p.x + 0.5F * noise({40 * p.x, 0}, 28)));
  const float line = 0.475F + 0.022F * noise({2.6F * p.x + 3, 0}, 27) - tips;
  const float inside = cover(p.y - line, pixel);
  if (inside <= 0) return behind;
  const float leaf = cloud_noise({34 * p.x, 50 * p.y}, 0.01F / pixel, 29);
  Colour wood = mix(paint(0x1B3B46), paint(0x4E6B4A), clamp01(0.35F + 0.9F * leaf));
  wood = mix(wood, paint(0xB08A52), 0.5F * ramp(0.1F, 0.5F, leaf) * bell(p.x - sun.x, 0.35F));
  return mix(behind, wood, inside);
}

/// A few white walls under red roofs and a spire, small with distance.
Colour village(Point p, float pixel, Colour behind) {
  if (p.y < 0.42F || p.x < -0.40F || p.x > -0.08F) return behind;
  for (std::int32_t i = 0; i < 9; ++i) {
    const float middle = -0.36F + 0.030F * (static_cast<float>(i) + 0.6F * chance(i, 0, 31));
    const float half = 0.009F + 0.005F * chance(i, 1, 31);
    const float foot = shore - 0.003F - 0.012F * chance(i, 2, 31);
    const float wall = foot - 0.011F - 0.006F * chance(i, 3, 31);
    const float ridge = wall - 0.9F * half;
    const float side = half - std::abs(p.x - middle);
    const float walls = cover(std::min({side, foot - p.y, p.y - wall}), pixel);
    const float under = (p.y - ridge) - 0.9F * (half - side);
    const float roof = cover(std::min({side + 0.003F, under, wall - p.y}), pixel);
    behind =
        mix(behind, mix(paint(0xC9BBA8), paint(0xF6E3C4), ramp(-half, half, p.x - middle)), walls);
    const float pane = std::min(0.0022F - std::abs(p.x - middle - 0.3F * half),
                                0.0025F - std::abs(p.y - wall - 0.006F));
    behind = mix(behind, paint(0xFFD25E), cover(pane, pixel));
    behind = mix(behind, paint(0xA8452F), roof);
  }
  const float tower = std::min({0.006F - std::abs(p.x + 0.215F), p.y - 0.452F, shore - p.y});
  const float spire = std::min(0.452F - p.y, 0.28F * (p.y - 0.422F) - std::abs(p.x + 0.215F));
  behind = mix(behind, paint(0xEAD9BE), cover(tower, pixel));
  return mix(behind, paint(0x5B4A55), cover(spire, pixel));
}

Colour sky_at(Point p, float pixel) {
  Colour sky = clear_sky(p);
  const float distance = length(p - sun);
  sky = sky + 0.55F * bell(distance, 0.10F) * paint(0xFFD08A) +
        0.25F * bell(distance, 0.35F) * paint(0xFF9A5A);
  const float density = cloud_density(p, pixel);
  if (density > -0.05F) {
    const Point sunward = p + 0.03F * unit(sun - p);
    const float lit = clamp01(0.5F + 2.6F * (density - cloud_density(sunward, pixel)));
    const float near = bell(distance, 0.5F);
    const Colour dark = mix(paint(0x7F8DB0), paint(0xC58E84), near);
    const Colour bright = mix(paint(0xFBEBDD), paint(0xFFD9A0), near);
    sky = mix(sky, mix(dark, bright, lit), 0.92F * ramp(-0.05F, 0.22F, density));
  }
  return mix(sky, paint(0xFFFEF4), cover(0.032F - distance, std::max(pixel, 0.004F)));
}

Colour mountains_at(Point p, float pixel, Colour behind) {
  behind = high_range(p, pixel, behind);
  behind = middle_range(p, pixel, behind);
  return village(p, pixel, woods(p, pixel, behind));
}

// Trees.

struct Standing {
  Point foot;
  float height;
};
constexpr std::array broad_trees{Standing{{0.585F, 0.62F}, 0.30F},
                                 Standing{{0.375F, 0.625F}, 0.16F},
                                 Standing{{0.93F, 0.74F}, 0.34F}};
constexpr std::array firs{Standing{{0.225F, 0.655F}, 0.12F}, Standing{{0.425F, 0.678F}, 0.09F},
                          Standing{{-0.66F, 0.90F}, 0.52F},  Standing{{-0.38F, 0.885F}, 0.26F},
                          Standing{{-0.53F, 0.945F}, 0.66F}, Standing{{-0.86F, 0.92F}, 0.60F},
                          Standing{{-1.06F, 0.95F}, 0.50F},  Standing{{-0.445F, 0.965F}, 0.20F},
                          Standing{{0.665F, 0.79F}, 0.22F}};

/// Boughs hang in tiers, light on their tips and dark under the tier above.
Colour fir_at(const Standing& fir, Point p, float pixel, Colour behind) {
  const float up = (fir.foot.y - p.y) / fir.height;
  const float across = (p.x - fir.foot.x) / fir.height;
  if (up < 0 || up > 1.02F || std::abs(across) > 0.25F) return behind;
  const auto seed = static_cast<std::uint32_t>(1000 * fir.height);
  const float soft = pixel / fir.height;
  const float trunk = std::min(0.018F - std::abs(across), 0.14F - up);
  behind = mix(behind, paint(0x3A281E), cover(trunk, soft));
  const float rough = cloud_noise({22 * across, 20 * up}, 0.022F / soft, seed) +
                      0.3F * ramp(0.02F, 0.004F, soft) * noise({110 * across, 60 * up}, seed + 5);
  const float droop =
      10 * up + 4 * std::abs(across) + 1.5F * noise({10 * across, 6 * up}, seed + 9);
  const float tier = droop - std::floor(droop);
  const float hang = tier * (2 - tier) * ramp(1.0F, 0.93F, tier);
  const float reach = (0.20F - 0.075F * hang) * (1 - up) + 0.003F + 0.04F * rough * (1.1F - up);
  const float inside = cover(std::min(reach - std::abs(across), up - 0.07F + 0.05F * rough), soft);
  if (inside <= 0) return behind;
  const float light = 0.40F - 0.45F * hang + 0.9F * rough + 0.30F * across / (reach + 0.01F);
  Colour needles = mix(paint(0x0E2A2B), paint(0x3F6B45), clamp01(light));
  needles = mix(needles, paint(0xD0A75A), 0.7F * ramp(0.55F, 1.2F, light));
  return mix(behind, needles, inside);
}

Colour broad_tree_at(const Standing& tree, Point p, float pixel, Colour behind) {
  const Point at{(p.x - tree.foot.x) / tree.height, (tree.foot.y - p.y) / tree.height};
  if (std::abs(at.x) > 0.75F || at.y < -0.02F || at.y > 1.2F) return behind;
  const float soft = pixel / tree.height;
  const auto seed = static_cast<std::uint32_t>(2000 * tree.height);
  const float trunk =
      std::min(0.05F - 0.03F * at.y - std::abs(at.x - 0.02F * wave(at.y)), 0.6F - at.y);
  behind = mix(behind, paint(0x4A3222), cover(trunk, soft));
  const Point crown{at.x / 0.46F, (at.y - 0.62F) / 0.40F};
  const float finest = 0.10F / soft;
  const auto mass = [&](Point q) { return cloud_noise({5 * q.x, 5 * q.y}, finest, seed); };
  const float leaves = 0.35F * ramp(0.012F, 0.004F, soft) * noise({70 * at.x, 70 * at.y}, seed + 7);
  const float lumps = mass(at);
  const float inside = cover(0.35F * (1 - dot(crown, crown)) + 0.35F * lumps + 0.1F * leaves,
                             std::max(soft, 0.008F));
  if (inside <= 0) return behind;
  const float light =
      0.42F + 2.2F * (lumps - mass(at + Point{-0.035F, 0.05F})) + 0.25F * crown.y - 0.12F * crown.x;
  Colour leaf = mix(paint(0x2A3F20), paint(0x8E8A2E), clamp01(light));
  leaf = mix(leaf, paint(0xF3BE4F), 0.8F * ramp(0.65F, 1.25F, light));
  return mix(behind, leaf, inside);
}

Colour broad_trees_at(Point p, float pixel, Colour behind) {
  for (const Standing& tree : broad_trees) behind = broad_tree_at(tree, p, pixel, behind);
  return behind;
}

Colour firs_at(Point p, float pixel, Colour behind) {
  for (const Standing& fir : firs) behind = fir_at(fir, p, pixel, behind);
  return behind;
}

// Houses, meadow and boat.

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

/// Where the meadow meets the water.
float bank_line(float x) {
  return 0.80F - 0.20F * ramp(0.0F, 0.36F, x) + 0.10F * ramp(-0.2F, -0.6F, x) +
         0.018F * noise({5 * x, 0}, 93) + 0.004F * noise({40 * x, 0}, 94);
}

/// The meadow with its path and flowers.
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

// All of it, and the lake that mirrors it.

Colour far_at(Point p, float pixel) { return mountains_at(p, pixel, sky_at(p, pixel)); }

/// What stands on the far shore upside down, shaken by ripples that grow towards the viewer.
Colour water_at(Point p, float pixel) {
  const float depth = p.y - shore;
  const float rows = 60 * std::sqrt(depth + 0.012F);
  const float finest = 0.03F * std::sqrt(depth + 0.012F) / pixel;
  const float ripple = cloud_noise({9 * p.x, rows}, finest, 80);
  const float swell = noise({3 * p.x, 0.35F * rows}, 81);
  const Point seen{p.x + 0.006F * ripple,
                   shore - depth - (0.02F + 0.22F * depth) * (ripple + 0.4F * swell)};
  Colour water = far_at({seen.x, std::min(seen.y, shore - 0.002F)}, pixel);
  water = mix(water * Colour{0.82F, 0.87F, 0.94F}, paint(0x24506E), 0.12F + 0.9F * depth);
  const float track = bell(p.x - sun.x, 0.035F + 0.16F * depth);
  water = mix(water, paint(0xFFE2A0), track * ramp(0.02F, 0.35F, ripple + 0.2F * swell));
  constexpr float boat_line = 0.615F;
  const Colour mirrored = boat_at({seen.x + 0.01F * ripple, 2 * boat_line - p.y}, pixel, water);
  water = mix(water, mirrored, p.y > boat_line ? 0.6F : 0.0F);
  const float bank = bank_line(p.x) - p.y;
  return mix(water, paint(0x26423A), 0.55F * ramp(0.05F, 0.0F, bank + 0.03F * ripple));
}

Colour scene_at(Point p, float pixel) {
  const bool land = p.y < shore;
  Colour colour = land ? far_at(p, pixel) : water_at(p, pixel);
  colour = mix(colour, paint(0xFFE3B8), 0.5F * bell(p.y - shore, 0.004F + 0.5F * pixel));
  colour = meadow_at(p, pixel, boat_at(p, pixel, colour));
  colour = houses_at(p, pixel, broad_trees_at(p, pixel, colour));
  return firs_at(p, pixel, colour);
}

}  // namespace
}  // namespace samples

Image draw_scene(std::int64_t height, std::int64_t width) {
  using namespace samples;
  Image image{
      height, width, std::vector<float>(static_cast<std::size_t>(3 * height * width)), {}, 8};
  const float pixel = 1 / static_cast<float>(height);
  const float middle = 0.5F * static_cast<float>(width);
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      const Point p{(static_cast<float>(x) + 0.5F - middle) * pixel,
                    (static_cast<float>(y) + 0.5F) * pixel};
      const Colour colour = scene_at(p, pixel);
      float* out = &image.rgb[static_cast<std::size_t>(3 * (y * width + x))];
      out[0] = 255 * clamp01(colour.r);
      out[1] = 255 * clamp01(colour.g);
      out[2] = 255 * clamp01(colour.b);
    }
  }
  return image;
}

}  // namespace impasto
