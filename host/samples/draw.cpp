// SPDX-License-Identifier: MIT
#include "host/samples/draw.hpp"

namespace impasto::samples {
namespace {

float slope(std::int32_t x, std::int32_t y, std::uint32_t seed, Point offset) {
  const std::uint32_t bits = scramble(static_cast<std::uint32_t>(x) * 0x9E3779B1U +
                                      scramble(static_cast<std::uint32_t>(y) + seed * 0x85EBCA77U));
  const float gx = static_cast<float>(bits & 0xFFFFU) * 0x1p-15F - 1;
  const float gy = static_cast<float>(bits >> 16U) * 0x1p-15F - 1;
  return gx * offset.x + gy * offset.y;
}

constexpr float fade(float t) { return t * t * t * (t * (t * 6 - 15) + 10); }

/// Sums octave(p, seed) from one bump per unit to `finest`.
template <class Octave>
float octaves(Point p, float finest, std::uint32_t seed, Octave octave) {
  float sum = 0;
  float total = 0;
  float weight = 1;
  float frequency = 1;
  for (int i = 0; i < 11; ++i, frequency *= 2) {
    const float shown = clamp01(finest / frequency - 1);
    total += weight;
    if (shown > 0) sum += weight * (shown * octave(p, seed) + 0);
    if (weight < 0.004F) break;
    weight *= 0.5F;
    // Turned a little each time, so that the lattices do not line up.
    p = {1.6F * p.x + 1.2F * p.y + 3.7F, -1.2F * p.x + 1.6F * p.y + 1.3F};
    ++seed;
  }
  return sum / total;
}

}  // namespace

float noise(Point p, std::uint32_t seed) {
  const float fx = std::floor(p.x);
  const float fy = std::floor(p.y);
  const auto x = static_cast<std::int32_t>(fx);
  const auto y = static_cast<std::int32_t>(fy);
  const Point in{p.x - fx, p.y - fy};
  const float sx = fade(in.x);
  const float top = mix(slope(x, y, seed, in), slope(x + 1, y, seed, in - Point{1, 0}), sx);
  const float bottom =
      mix(slope(x, y + 1, seed, in - Point{0, 1}), slope(x + 1, y + 1, seed, in - Point{1, 1}), sx);
  return 1.4F * mix(top, bottom, fade(in.y));
}

float cloud_noise(Point p, float finest, std::uint32_t seed) {
  return octaves(p, finest, seed, noise);
}

float ridge_noise(Point p, float finest, std::uint32_t seed) {
  return octaves(p, finest, seed, [](Point q, std::uint32_t s) {
    const float crest = 1 - std::abs(noise(q, s));
    return crest * crest;
  });
}

}  // namespace impasto::samples
