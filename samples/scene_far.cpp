// SPDX-License-Identifier: MIT
#include "samples/scene_parts.hpp"

namespace impasto::samples {
namespace {

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

}  // namespace

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

}  // namespace impasto::samples
