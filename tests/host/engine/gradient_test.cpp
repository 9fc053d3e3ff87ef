// SPDX-License-Identifier: MIT
// The whole loss and its gradient with respect to the pixels, in double, against differences.
#include <cmath>
#include <gtest/gtest.h>

#include "host/backend/registry.hpp"
#include "host/engine/stylizer.hpp"
#include "tests/support/toy_network.hpp"

namespace impasto::gradient_test {
namespace {

using test::random_image;
using test::random_weights;
using test::uniform;

/// An objective with every kind of term: content on a convolution and a pool, style on a layer that
/// also has content, means and deviations, total variation, a film's last result. Not the Wasserstein loss: its iterations
/// leave small eigenvalues unfinished, so its gradient is not its derivative there. That of matrices
/// they finish is compared in tests/kernels/wasserstein_loss_test.cpp, that of a network with PyTorch's
/// in presets_test.cpp.
Config everything() {
  Config config = preset("coursera");
  config.objective["content"].layers = {{"conv4_2", 1}, {"conv3_1", 0.5}, {"pool2", 0.25}};
  config.objective["style"].layers.push_back({"pool1", 0.1});
  config.objective["tv"].weight = 3;
  config.objective.losses.push_back(
      StatisticsLoss{{.name = "statistics",
                      .weight = 50,
                      .layers = {{"conv2_1", 1}, {"conv3_1", 0.5}, {"pool2", 0.5}}},
                     {.factor = 1, .channel_power = 1}});
  config.objective.losses.push_back(TemporalLoss{
      {.name = "temporal", .weight = 20}, {.factor = 1, .channel_power = 1, .pixel_power = 1}});
  return config;
}

/// The loss of the plan's pixels in double, from its loss slots.
double loss_of(const Plan& plan, Backend& backend, const Config& config) {
  plan.evaluation().run(backend);
  const auto* slot = plan.losses().as<double>();
  double total = 0;
  for (const AnyLoss& any : config.objective.losses) {
    const Loss& loss = common(any);
    if (of_pixels(any)) total += loss.weight * *slot++;
    for (const LayerWeight& layer : loss.layers) total += loss.weight * layer.weight * *slot++;
  }
  return total;
}

/// A style picture of another size than the picture.
Style style_beside(std::int64_t height, std::int64_t width) {
  return {random_image(height + 3, width - 5, 2), 1};
}

void expect_gradient_matches(Config config, std::int64_t height, std::int64_t width,
                             double tolerance = 1e-6, std::vector<Style> styles = {}) {
  if (styles.empty()) styles = {style_beside(height, width)};
  config.optimizer = AdamOptions{.learning_rate = 0};
  const auto backend = make_backend("reference");
  const Network network(*backend, random_weights(), config.objective.pool,
                        deepest_layer(config.objective, vgg19), config.objective.padding,
                        config.objective.input_scale);
  const Shape shape{1, height, width, 3};
  Plan plan(network, config, shape, DataType::f64, DataType::f64, shapes_of(styles));
  plan.bind(backend->allocate(plan.bytes()));
  const Image content = random_image(height, width, 1);
  const Anchor anchor{random_image(height, width, 21),
                      {height, width, uniform(height * width, 22, 0, 1)}};
  plan.reset(*backend, std::span(&content, 1), styles, std::span(&content, 1), {},
             std::span(&anchor, 1));

  auto* pixels = plan.pixels().as<double>();
  const auto count = static_cast<std::size_t>(shape.count());
  const std::vector<float> start = uniform(shape.count(), 3, 0, 255);
  const std::vector<float> direction = uniform(shape.count(), 4, -1, 1);
  const auto move_to = [&](double distance) {
    for (std::size_t i = 0; i < count; ++i) {
      pixels[i] = static_cast<double>(start[i]) + distance * static_cast<double>(direction[i]);
    }
  };

  move_to(0);
  plan.iteration().run(*backend);  // with a learning rate of 0: the pixels stay
  const auto* grad = plan.gradient().as<double>();
  double analytic = 0;
  for (std::size_t i = 0; i < count; ++i) analytic += grad[i] * static_cast<double>(direction[i]);

  // Small enough that no ReLU and no maximum changes sides, which is where a difference errs; large
  // enough that the rounding of the losses, 1e-9 of them, does not show.
  constexpr double step = 1e-5;
  move_to(step);
  const double ahead = loss_of(plan, *backend, config);
  move_to(-step);
  const double behind = loss_of(plan, *backend, config);
  const double numeric = (ahead - behind) / (2 * step);
  EXPECT_NEAR(analytic / numeric, 1.0, tolerance) << analytic << " against " << numeric;
}

TEST(Gradient, OfTheCourseraLossMatchesADirectionalDifference) {
  expect_gradient_matches(preset("coursera"), 32, 48);
}

TEST(Gradient, OfEveryKindOfTermTogetherMatchesADirectionalDifference) {
  expect_gradient_matches(everything(), 32, 48);
}

TEST(Gradient, OfLossesBeforeTheReluMatchesADirectionalDifference) {
  Config config = everything();
  // Layers that other losses see behind their ReLU, one that none does, and the deepest.
  config.objective["content"].before_relu = true;
  expect_gradient_matches(config, 32, 48);
  config.objective["statistics"].before_relu = true;
  config.objective["style"].before_relu = true;
  expect_gradient_matches(config, 32, 48);
}

TEST(Gradient, OfStylesWithSoftMasksMatchesADirectionalDifference) {
  Config config = everything();
  config.objective.guided = true;
  Style one = style_beside(32, 48);
  one.mask = {40, 60, uniform(2400, 11, 0, 1)};
  one.style_mask = {35, 43, uniform(35 * 43, 12, 0, 1)};
  Style other{random_image(32, 32, 13), 3};
  other.mask = {32, 48, uniform(32 * 48, 14, 0, 1)};
  expect_gradient_matches(config, 32, 48, 1e-6, {one, other});
  config.objective["style"].before_relu = true;
  config.objective["statistics"].before_relu = true;
  expect_gradient_matches(config, 32, 48, 1e-6, {one, other});
}

TEST(Gradient, OfStylesAtSeveralOctavesMatchesADirectionalDifference) {
  Config config = everything();
  config.objective["content"].layers = {{"conv2_1", 1}};
  config.objective["style"].layers = {{"conv1_1", 1}, {"conv2_1", 1}};
  config.objective["statistics"].layers = {{"pool1", 1}};
  config.objective.octaves = 2;
  config.objective.guided = true;
  Style style = style_beside(37, 51);
  style.mask = {40, 60, uniform(2400, 11, 0, 1)};
  expect_gradient_matches(config, 37, 51, 1e-5, {style});
}

TEST(Gradient, OfEveryFormOfTotalVariationMatchesADirectionalDifference) {
  using kernels::VariationForm;
  for (const auto form : {VariationForm::absolute, VariationForm::means, VariationForm::power,
                          VariationForm::nine_point}) {
    Config config = preset("coursera");
    config.objective["content"].layers = {{"conv1_1", 1}};
    config.objective["style"].layers = {{"conv1_1", 1e-3}};
    auto& variation = std::get<TotalVariationLoss>(config.objective.losses.back());
    variation.form = form;
    variation.beta = 2.5;
    variation.weight = 1e6;
    // So large that its own rounding shows (1e-6 observed).
    expect_gradient_matches(config, 32, 48, 1e-5);
  }
}

TEST(Gradient, OfANetworkThatSeesItsInputScaledMatchesADirectionalDifference) {
  Config config = preset("neural-style");
  config.objective["content"].layers = {{"conv2_1", 1}};
  config.objective["style"].layers = {{"conv1_1", 1}};
  expect_gradient_matches(config, 32, 48);
}

TEST(Gradient, WithMaxPoolingRoundedDownOnOddSidesMatchesADirectionalDifference) {
  Config config = everything();
  config.objective.pool = {kernels::PoolMode::max, kernels::PoolRounding::down};
  // Four times as many maxima as values pooled: some do change within the step (8e-6 observed).
  expect_gradient_matches(config, 37, 51, 5e-5);
}

TEST(Gradient, WithAMaximumAndABlurOnOddSidesMatchesADirectionalDifference) {
  Config config = everything();
  config.objective.pool.mode = kernels::PoolMode::max_blur;
  expect_gradient_matches(config, 37, 52, 5e-5);
}

TEST(Gradient, WithThePictureContinuedByItsBorderMatchesADirectionalDifference) {
  Config config = everything();
  config.objective.padding = Padding::replicate;
  expect_gradient_matches(config, 32, 48);
}

}  // namespace
}  // namespace impasto::gradient_test
