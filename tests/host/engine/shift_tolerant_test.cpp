// SPDX-License-Identifier: MIT
// A network whose pooling is a maximum and a blur, with a deviation, padded either way: every map
// and the gradient of the pixels, against PyTorch (tests/host/engine/shift_tolerant_golden.py).
#include <gtest/gtest.h>

#include "host/backend/registry.hpp"
#include "host/engine/stylizer.hpp"
#include "tests/host/engine/shift_tolerant_golden.hpp"
#include "tests/support/golden.hpp"

namespace impasto::shift_tolerant_test {
namespace {

using test::Golden;

constexpr std::int64_t height = 17;
constexpr std::int64_t width = 22;

Image picture(double step) { return test::sine_picture(height, width, step); }

Weights weights_of_the_script() {
  Weights weights = test::sine_weights(vgg16, "conv3_1");
  weights.mean = {123.675F, 116.28F, 103.53F};
  weights.deviation = {58.395F, 57.12F, 57.375F};
  weights.pool.mode = kernels::PoolMode::max_blur;
  return weights;
}

/// Observed: 2e-7.
constexpr double limit = 1e-5;

class ShiftTolerant : public testing::TestWithParam<Padding> {
 protected:
  [[nodiscard]] const std::array<Golden, 8>& golden() const {
    return GetParam() == Padding::zero ? test::golden_zero : test::golden_replicate;
  }
  const Weights weights_ = weights_of_the_script();
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
    test::expect_sums(found.values, found.values.size(), expected.sums, limit, expected.name);
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
  test::expect_sums(plan.gradient().as<double>(), static_cast<std::size_t>(shape.count()),
                    golden().back().sums, limit, golden().back().name);
}

}  // namespace
}  // namespace impasto::shift_tolerant_test
