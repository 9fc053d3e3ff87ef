// SPDX-License-Identifier: MIT
// A network whose pooling is a maximum and a blur, with a deviation, padded either way: every map
// and the gradient of the pixels, against PyTorch (tests/host/engine/shift_tolerant_golden.py).
#include <cmath>
#include <gtest/gtest.h>
#include <numbers>

#include "host/backend/registry.hpp"
#include "host/engine/stylizer.hpp"
#include "tests/host/engine/shift_tolerant_golden.hpp"
#include "tests/support/toy_network.hpp"

namespace impasto {
namespace {

using test::Golden;

constexpr std::int64_t height = 17;
constexpr std::int64_t width = 22;

/// The script's numbers.
std::vector<float> sines(std::int64_t count, double step, double scale, double offset = 0) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<double>(i);
    const double angle = std::fmod(step * at * at, 2 * std::numbers::pi);
    values.push_back(static_cast<float>(offset + scale * std::sin(angle)));
  }
  return values;
}

Image picture(double step) {
  Image image;
  image.height = height;
  image.width = width;
  image.rgb = sines(3 * height * width, step, 120, 128);
  return image;
}

Weights sine_weights() {
  Weights weights;
  weights.layers = &vgg16;
  weights.mean = {123.675F, 116.28F, 103.53F};
  weights.deviation = {58.395F, 57.12F, 57.375F};
  weights.pool.mode = kernels::PoolMode::max_blur;
  for (const VggLayer* layer : vgg16.convs_up_to("conv3_1")) {
    const std::int64_t in = layer->in_channels;
    const std::int64_t out = layer->out_channels;
    const auto index = static_cast<double>(weights.convs.size());
    weights.convs.push_back(
        {std::string(layer->name),
         {in, out,
          sines(9 * in * out, 0.7 + 0.01 * index, std::sqrt(6 / (9 * static_cast<double>(in)))),
          sines(out, 0.3 + 0.01 * index, 0.1)}});
  }
  return weights;
}

template <class Values>
void expect_sums(const Values& values, std::size_t count, const Golden& golden) {
  double sum = 0;
  double squares = 0;
  double placed = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<double>(values[i]);
    sum += value;
    squares += value * value;
    placed += value * std::cos(static_cast<double>(i + 1));
  }
  // Of the root of all squares, which every value can move each of the sums by. Observed: 2e-7.
  const double limit = 1e-5 * std::sqrt(golden.sums[1]);
  EXPECT_NEAR(sum, golden.sums[0], limit) << golden.name;
  EXPECT_NEAR(squares / golden.sums[1], 1, 1e-5) << golden.name;
  EXPECT_NEAR(placed, golden.sums[2], limit) << golden.name;
}

class ShiftTolerant : public testing::TestWithParam<Padding> {
 protected:
  [[nodiscard]] const std::array<Golden, 8>& golden() const {
    return GetParam() == Padding::zero ? test::golden_zero : test::golden_replicate;
  }
  const Weights weights_ = sine_weights();
  const std::size_t deepest_ = vgg16.index("conv3_1");
  const std::unique_ptr<Backend> backend_ = make_backend("reference");
};
INSTANTIATE_TEST_SUITE_P(Padded, ShiftTolerant, testing::Values(Padding::zero, Padding::replicate),
                         [](const auto& one) {
                           return one.param == Padding::zero ? "WithZeros" : "ByReplication";
                         });

TEST_P(ShiftTolerant, MapsAreThoseOfPyTorch) {
  Session session(*backend_, weights_, weights_.pool, deepest_, GetParam());
  for (std::size_t layer = 0; layer <= deepest_; ++layer) {
    const Golden& expected = golden().at(layer);
    const Activation found = activation(session, picture(0.37), expected.name);
    expect_sums(found.values, found.values.size(), expected);
  }
}

TEST_P(ShiftTolerant, GradientOfThePixelsIsThatOfPyTorch) {
  Config config;
  config.objective = {
      .losses = {ContentLoss{{.name = "content", .weight = 1, .layers = {{"conv3_1", 1}}},
                             {.factor = 1, .channel_power = 1, .pixel_power = 1}}},
      .pool = weights_.pool,
      .padding = GetParam()};
  config.optimizer = AdamOptions{.learning_rate = 0};
  const Network network(*backend_, weights_, weights_.pool, deepest_, GetParam());
  const Shape shape{1, height, width, 3};
  Plan plan(network, config, shape, DataType::f64, DataType::f64);
  plan.bind(backend_->allocate(plan.bytes()));
  const Image content = picture(0.91);
  const Image start = picture(0.37);
  plan.reset(*backend_, std::span(&content, 1), {}, std::span(&start, 1));
  plan.iteration().run(*backend_);
  expect_sums(plan.gradient().as<double>(), static_cast<std::size_t>(shape.count()),
              golden().back());
}

}  // namespace
}  // namespace impasto
