// SPDX-License-Identifier: MIT
#include <cstddef>

#include "samples/samples.hpp"
#include "samples/scene_parts.hpp"

namespace impasto {
namespace samples {
namespace {

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
