// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <gtest/gtest.h>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

#include "host/image/image.hpp"
#include "host/model/vgg.hpp"
#include "host/model/weights.hpp"

namespace impasto::test {

/// What a script makes in Python as well: offset + scale·sin(step·i²), in double, rounded to float.
inline std::vector<float> sines(std::int64_t count, double step, double scale, double offset = 0) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<double>(i);
    const double angle = std::fmod(step * at * at, 2 * std::numbers::pi);
    values.push_back(static_cast<float>(offset + scale * std::sin(angle)));
  }
  return values;
}

inline Image sine_picture(std::int64_t height, std::int64_t width, double step) {
  Image image;
  image.height = height;
  image.width = width;
  image.rgb = sines(3 * height * width, step, 120, 128);
  return image;
}

/// A network up to a layer, with filters `loudness` times √(6/9C) at most.
inline Weights sine_weights(const VggLayers& layers, std::string_view deepest,
                            double loudness = 1) {
  Weights weights;
  weights.layers = &layers;
  for (const VggLayer* layer : layers.convs_up_to(deepest)) {
    const std::int64_t in = layer->in_channels;
    const std::int64_t out = layer->out_channels;
    const auto index = static_cast<double>(weights.convs.size());
    const double scale = loudness * std::sqrt(6 / (9 * static_cast<double>(in)));
    weights.convs.push_back({std::string(layer->name),
                             {in, out, sines(9 * in * out, 0.7 + 0.01 * index, scale),
                              sines(out, 0.3 + 0.01 * index, 0.1)}});
  }
  return weights;
}

/// Compares sums over many values with a script's: of the values, of their squares, and of value i
/// times cos(i + 1). `limit` is relative to the root of all squares, by which every value can move
/// each of the sums.
template <class Values>
void expect_sums(const Values& values, std::size_t count, const std::array<double, 3>& expected,
                 double limit, std::string_view name) {
  double sum = 0;
  double squares = 0;
  double placed = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<double>(values[i]);
    sum += value;
    squares += value * value;
    placed += value * std::cos(static_cast<double>(i + 1));
  }
  const double size = std::sqrt(expected[1]);
  EXPECT_NEAR(sum, expected[0], limit * size) << name;
  EXPECT_NEAR(squares / expected[1], 1, limit) << name;
  EXPECT_NEAR(placed, expected[2], limit * size) << name;
}

}  // namespace impasto::test
