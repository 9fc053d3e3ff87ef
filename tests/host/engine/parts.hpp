// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <vector>

#include "host/backend/registry.hpp"
#include "host/engine/plan.hpp"
#include "host/engine/stylizer.hpp"
#include "tests/support/toy_network.hpp"

namespace impasto::test {

/// Losses and gradient of one iteration.
struct Computed {
  std::vector<float> losses;
  std::vector<float> evaluated;  ///< without a gradient
  std::vector<double> totals;    ///< of the pictures, as they are named
  std::vector<float> gradient;
  std::vector<float> pixels;  ///< behind the step
  std::size_t tiles = 1;      ///< or strips
  std::size_t arena = 0;
  std::size_t content_target = 0;  ///< bytes
  std::size_t optimizer = 0;       ///< bytes
  std::size_t filed = 0;           ///< bytes
};

struct Pictures {
  std::int64_t height = 51;
  std::int64_t width = 59;
  std::size_t count = 1;
  std::int64_t style_height = 49;
  std::int64_t style_width = 53;
};

inline const std::vector<PoolKind> every_pool = {
    {kernels::PoolMode::average, kernels::PoolRounding::up},
    {kernels::PoolMode::average, kernels::PoolRounding::down},
    {kernels::PoolMode::max, kernels::PoolRounding::up},
    {kernels::PoolMode::max, kernels::PoolRounding::down},
    {kernels::PoolMode::l2, kernels::PoolRounding::up},
    {kernels::PoolMode::max_blur, kernels::PoolRounding::up}};

/// random_weights(), which take a while, made once.
inline const Weights& same_weights(std::size_t deepest) {
  static std::mutex mutex;
  static std::map<std::size_t, Weights> made;
  const std::scoped_lock lock(mutex);
  const auto known = made.find(deepest);
  return known != made.end() ? known->second
                             : made.emplace(deepest, random_weights(deepest)).first->second;
}

/// On a device that computes all of it or, with `ranks`, a strip.
inline Computed compute(Backend& backend, const Config& config, const Pictures& pictures,
                        const TileSize& tile, Communicator* ranks = nullptr, bool filed = false) {
  const std::size_t deepest = deepest_layer(config.objective, vgg19);
  const Network network(backend, same_weights(deepest), config.objective.pool, deepest,
                        config.objective.padding, config.objective.input_scale);
  std::vector<Image> contents;
  std::vector<Image> initials;
  for (std::uint32_t i = 0; i < pictures.count; ++i) {
    contents.push_back(random_image(pictures.height, pictures.width, 2 * i + 1));
    initials.push_back(random_image(pictures.height, pictures.width, 2 * i + 2));
  }
  // Darker than the picture: of two that look alike Gram matrices differ by little more than rounding.
  std::vector<Style> styles = {{random_image(pictures.style_height, pictures.style_width, 8), 1},
                               {random_image(40, 33, 9), 2}};
  for (Style& style : styles) {
    for (float& value : style.image.rgb) value *= 0.4F;
  }
  if (config.objective.guided) {
    styles[0].mask = {40, 60, uniform(2400, 11, 0, 1)};
    styles[0].style_mask = {35, 43, uniform(35 * 43, 12, 0, 1)};
    styles[1].mask = {32, 48, uniform(32 * 48, 14, 0, 1)};
  }
  Plan plan(network, config, pixel_shape(contents), backend.master_type(),
            backend.activation_type(), shapes_of(styles), tile, ranks, filed);
  plan.prepare(backend);
  const Buffer memory = backend.allocate(plan.bytes());
  plan.bind(memory);
  std::vector<Anchor> anchors;
  for (std::uint32_t i = 0; i < pictures.count; ++i) {
    const std::int64_t pixels = pictures.height * pictures.width;
    anchors.push_back({random_image(pictures.height, pictures.width, 20 + i),
                       {pictures.height, pictures.width, uniform(pixels, 30 + i, 0, 1)}});
  }
  plan.reset(backend, contents, styles, initials, {}, anchors);
  Computed result;
  if (plan.tiling()) {
    result.tiles = std::max(plan.tiling()->tiles().size(), plan.tiling()->strips().size());
  }
  result.arena = plan.arena_bytes();
  result.optimizer = plan.optimizer().bytes();
  result.filed = plan.filed_bytes();
  result.content_target = plan.target_bytes(TargetSource::content);
  const auto read = [&](const Tensor& tensor) {
    std::vector<float> values(static_cast<std::size_t>(tensor.shape.count()));
    backend.read(values, tensor);
    return values;
  };
  plan.evaluation().run(backend);
  result.evaluated = read(plan.losses());
  plan.iteration().run(backend);
  result.losses = read(plan.losses());
  for (const Losses& one : plan.named(result.losses)) result.totals.push_back(one.total);
  result.pixels = read(plan.pixels());
  plan.strips().gather(plan.gradient());
  result.gradient = read(plan.gradient());
  return result;
}

inline Computed compute(const char* name, const Config& config, const Pictures& pictures,
                        const TileSize& tile, Precision precision = Precision::fp32) {
  return compute(*make_backend(name, precision), config, pictures, tile);
}

/// The root mean square of the differences, relative to that of what is expected.
inline double difference(const std::vector<float>& found, const std::vector<float>& expected) {
  double differences = 0;
  double squares = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto is = static_cast<double>(found[i]);
    const auto was = static_cast<double>(expected[i]);
    differences += (is - was) * (is - was);
    squares += was * was;
  }
  return std::sqrt(differences / squares);
}

/// Losses and gradient are those of the whole picture.
inline void expect_like(const Computed& whole, const Computed& parts, double limit) {
  EXPECT_LT(difference(parts.gradient, whole.gradient), limit);
  for (std::size_t i = 0; i < whole.losses.size(); ++i) {
    const auto expected = static_cast<double>(whole.losses[i]);
    EXPECT_NEAR(static_cast<double>(parts.losses[i]), expected, limit * expected) << i;
    EXPECT_NEAR(static_cast<double>(parts.evaluated[i]), expected, limit * expected) << i;
  }
  for (std::size_t n = 0; n < whole.totals.size(); ++n) {
    EXPECT_NEAR(parts.totals[n] / whole.totals[n], 1, limit) << n;
  }
}

/// Content deeper than style, style deeper than content, both at one layer, pools, total variation, a
/// film's last result.
inline Config config_with(std::vector<LayerWeight> content, std::vector<LayerWeight> style) {
  Config config = preset("coursera");
  config.objective["content"].layers = std::move(content);
  config.objective["style"].layers = std::move(style);
  config.objective["tv"].weight = 3;
  config.objective.losses.push_back(TemporalLoss{
      {.name = "temporal", .weight = 2}, {.factor = 1, .channel_power = 1, .pixel_power = 1}});
  config.optimizer = AdamOptions{.learning_rate = 0};
  return config;
}

inline const std::vector<LayerWeight> some_styles = {
    {"conv1_1", 1}, {"pool1", 0.5}, {"conv2_1", 0.5}};

}  // namespace impasto::test
