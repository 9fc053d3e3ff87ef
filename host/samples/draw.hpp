// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

/// What both pictures are drawn with. Everything is built on + − × ÷ √ and floor, which are exact
/// to the bit everywhere, and not on a mathematics library, which is not.
namespace impasto::samples {

struct Point {
  float x = 0;
  float y = 0;

  friend constexpr Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
  friend constexpr Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
  friend constexpr Point operator*(float k, Point a) { return {k * a.x, k * a.y}; }
};

constexpr float dot(Point a, Point b) { return a.x * b.x + a.y * b.y; }
constexpr Point turn_left(Point a) { return {-a.y, a.x}; }
inline float length(Point a) { return std::sqrt(dot(a, a)); }
inline Point unit(Point a) { return (1 / (length(a) + 1e-12F)) * a; }

/// sRGB values in [0,1].
struct Colour {
  float r = 0;
  float g = 0;
  float b = 0;

  friend constexpr Colour operator+(Colour a, Colour c) {
    return {a.r + c.r, a.g + c.g, a.b + c.b};
  }
  friend constexpr Colour operator*(float k, Colour a) { return {k * a.r, k * a.g, k * a.b}; }
  friend constexpr Colour operator*(Colour a, Colour c) {
    return {a.r * c.r, a.g * c.g, a.b * c.b};
  }
};

/// 0xRRGGBB
constexpr Colour paint(std::uint32_t hex) {
  return {static_cast<float>(hex >> 16U & 255U) / 255, static_cast<float>(hex >> 8U & 255U) / 255,
          static_cast<float>(hex & 255U) / 255};
}

constexpr float clamp01(float t) { return std::clamp(t, 0.0F, 1.0F); }
constexpr float mix(float a, float b, float t) { return a + (b - a) * t; }
constexpr Colour mix(Colour a, Colour b, float t) {
  return {mix(a.r, b.r, t), mix(a.g, b.g, t), mix(a.b, b.b, t)};
}

/// From 0 at `from` to 1 at `to`, with level ends.
constexpr float ramp(float from, float to, float x) {
  const float t = clamp01((x - from) / (to - from));
  return t * t * (3 - 2 * t);
}

/// A sine of `turns` full turns, within 0.001.
inline float wave(float turns) {
  const float t = turns - std::floor(turns + 0.5F);
  const float y = 8 * t - 16 * t * std::abs(t);
  return y + 0.225F * (y * std::abs(y) - y);
}

/// A bell of height 1 and half width `radius`.
constexpr float bell(float distance, float radius) {
  const float q = distance / radius;
  return 1 / ((1 + q * q) * (1 + q * q));
}

constexpr std::uint32_t scramble(std::uint32_t x) {
  x = (x ^ (x >> 16U)) * 0x7FEB352DU;
  x = (x ^ (x >> 15U)) * 0x846CA68BU;
  return x ^ (x >> 16U);
}

/// A number in [0,1) for a lattice point.
constexpr float chance(std::int32_t x, std::int32_t y, std::uint32_t seed) {
  const std::uint32_t bits = scramble(static_cast<std::uint32_t>(x) * 0x9E3779B1U +
                                      scramble(static_cast<std::uint32_t>(y) + seed * 0x85EBCA77U));
  return static_cast<float>(bits >> 8U) * 0x1p-24F;
}

/// Smooth noise in about [-1,1], one bump per unit.
float noise(Point p, std::uint32_t seed);

/// Noise over octaves from 1 up to `finest` bumps per unit, each half as strong as the one before;
/// the last fades in, so that what a picture is too small to show does not flicker.
float cloud_noise(Point p, float finest, std::uint32_t seed);

/// The same with sharp crests, in [0,1].
float ridge_noise(Point p, float finest, std::uint32_t seed);

}  // namespace impasto::samples
