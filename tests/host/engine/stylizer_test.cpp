// SPDX-License-Identifier: MIT
#include "host/engine/stylizer.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <omp.h>

#include "host/backend/cpu/cpu_backend.hpp"
#include "host/backend/registry.hpp"
#include "host/core/error.hpp"
#include "host/engine/initial.hpp"
#include "tests/support/toy_network.hpp"

namespace impasto::stylizer_test {
namespace {

using test::random_image;
using test::random_weights;

/// Shared: 40 MB of weights are not worth making for every test.
const Weights& weights() {
  static const Weights made = random_weights();
  return made;
}

Config small_config() {
  Config config = preset("coursera");
  config.objective["tv"].weight = 1;
  return config;
}

/// A stylizer of random pictures, and all that it refers to.
struct Trial {
  Trial(Backend& backend, std::int64_t height, std::int64_t width, const Config& configured)
      : config(configured),
        content(random_image(height, width, 1)),
        style{random_image(height + 5, width - 7, 2), 1},
        initial(make_initial(config, content, std::span(&style, 1))),
        session(backend, weights(), config.objective),
        stylizer(session, config, std::span(&content, 1), std::span(&style, 1),
                 std::span(&initial, 1)) {}

  Config config;
  Image content;
  Style style;
  Image initial;
  Session session;
  Stylizer stylizer;
};

/// The losses of `iterations` steps from noise, and the picture they end at.
struct Trace {
  std::vector<double> losses;
  std::vector<float> pixels;
};

Trace optimise(Backend& backend, int iterations, std::int64_t height = 32, std::int64_t width = 48,
               const Config& config = small_config()) {
  Trial trial(backend, height, width, config);
  Trace trace;
  for (int i = 0; i < iterations; ++i) {
    trial.stylizer.step();
    trace.losses.push_back(trial.stylizer.losses().front().total);
  }
  trace.pixels = trial.stylizer.image().rgb;
  return trace;
}

TEST(Stylizer, TheLossFalls) {
  const Trace trace = optimise(*make_backend("cpu", Precision::fp32), 10);
  EXPECT_LT(trace.losses.back(), 0.8 * trace.losses.front());
}

TEST(Stylizer, TheCpuFollowsTheReference) {
  const Trace fast = optimise(*make_backend("cpu", Precision::fp32), 5, 19, 27);
  const Trace plain = optimise(*make_backend("reference"), 5, 19, 27);
  for (std::size_t i = 0; i < plain.losses.size(); ++i) {
    EXPECT_NEAR(fast.losses[i] / plain.losses[i], 1, 1e-5) << "iteration " << i;
  }
}

TEST(Stylizer, Bfloat16FollowsTheReferenceWithinOnePercent) {
  const std::vector<Precision> offers = cpu_precisions();
  if (std::find(offers.begin(), offers.end(), Precision::bf16) == offers.end()) {
    GTEST_SKIP() << "this CPU has no bf16";
  }
  const Trace fast = optimise(*make_backend("cpu", Precision::bf16), 5, 19, 27);
  const Trace plain = optimise(*make_backend("reference"), 5, 19, 27);
  for (std::size_t i = 0; i < plain.losses.size(); ++i) {
    EXPECT_NEAR(fast.losses[i] / plain.losses[i], 1, 1e-2) << "iteration " << i;
  }
}

void expect_the_same_bits(Precision precision) {
  const int threads = omp_get_max_threads();
  std::vector<Trace> runs;
  for (const int count : {1, 2, 2, 3}) {
    omp_set_num_threads(count);
    runs.push_back(optimise(*make_backend("cpu", precision), 4));
  }
  omp_set_num_threads(threads);
  for (const Trace& trace : runs) {
    EXPECT_EQ(trace.losses, runs.front().losses);
    EXPECT_EQ(trace.pixels, runs.front().pixels);
  }
}

TEST(Stylizer, TwoRunsGiveTheSameBitsOnAnyNumberOfThreads) {
  expect_the_same_bits(Precision::fp32);
}

/// `--precision winograd`, the default where a CPU has AVX2, against `--precision fp32`.
class Winograd : public testing::Test {
 protected:
  void SetUp() override {
    const std::vector<Precision> offers = cpu_precisions();
    if (offers.front() != Precision::winograd) GTEST_SKIP() << "this CPU has no AVX2";
  }
  const std::unique_ptr<Backend> direct_ = make_backend("cpu", Precision::fp32);
  const std::unique_ptr<Backend> fast_ = make_backend("cpu");
};

TEST_F(Winograd, TwoRunsGiveTheSameBitsOnAnyNumberOfThreads) {
  expect_the_same_bits(Precision::winograd);
}

TEST_F(Winograd, LossesOfTenIterationsAreWithinAThousandth) {
  const Trace fast = optimise(*fast_, 10, 59, 61);
  const Trace direct = optimise(*direct_, 10, 59, 61);
  for (std::size_t i = 0; i < direct.losses.size(); ++i) {
    EXPECT_NEAR(fast.losses[i] / direct.losses[i], 1, 1e-3) << "iteration " << i;
  }
}

TEST_F(Winograd, TheLossAfter500IterationsIsWithinOnePercent) {
  Config config = small_config();  // of fewer layers: 1000 iterations of all take minutes
  config.objective["content"].layers = {{"conv3_1", 1}};
  config.objective["style"].layers = {{"conv1_1", 1}, {"conv2_1", 1}, {"conv3_1", 1}};
  const Trace fast = optimise(*fast_, 500, 19, 27, config);
  const Trace direct = optimise(*direct_, 500, 19, 27, config);
  EXPECT_LT(direct.losses.back(), 0.1 * direct.losses.front());
  EXPECT_NEAR(fast.losses.back() / direct.losses.back(), 1, 1e-2);
}

std::vector<float> first_gradient(Backend& backend, std::int64_t height, std::int64_t width) {
  Trial trial(backend, height, width, small_config());
  trial.stylizer.step();
  const Tensor& gradient = trial.stylizer.plan().gradient();
  std::vector<float> values(static_cast<std::size_t>(gradient.shape.count()));
  backend.read(values, gradient);
  return values;
}

TEST_F(Winograd, ItsGradientPointsTheSameWay) {
  const std::vector<float> fast = first_gradient(*fast_, 59, 61);
  const std::vector<float> direct = first_gradient(*direct_, 59, 61);
  double product = 0;
  double fast_square = 0;
  double direct_square = 0;
  for (std::size_t i = 0; i < direct.size(); ++i) {
    const double a = static_cast<double>(fast[i]);
    const double b = static_cast<double>(direct[i]);
    product += a * b;
    fast_square += a * a;
    direct_square += b * b;
  }
  EXPECT_GT(product / std::sqrt(fast_square * direct_square), 0.9999);
}

TEST(Stylizer, EvaluateGivesTheLossesOfTheStepThatFollows) {
  const auto backend = make_backend("cpu", Precision::fp32);
  const Config config = small_config();
  const Image content = random_image(24, 40, 1);
  const Style style{random_image(30, 30, 2), 1};
  const Image initial = make_initial(config, content, std::span(&style, 1));
  Session session(*backend, weights(), config.objective);
  Stylizer stylizer(session, config, std::span(&content, 1), std::span(&style, 1),
                    std::span(&initial, 1));
  const Losses evaluated = stylizer.evaluate().front();
  stylizer.step();
  const Losses stepped = stylizer.losses().front();
  EXPECT_EQ(evaluated.total, stepped.total);
  EXPECT_EQ(evaluated["content"].layers, stepped["content"].layers);
  EXPECT_EQ(evaluated["style"].layers, stepped["style"].layers);
  EXPECT_GT(evaluated["tv"].value, 0);
}

TEST(Stylizer, TheContentHasNoContentLossAgainstItself) {
  const auto backend = make_backend("cpu", Precision::fp32);
  const Image picture = random_image(24, 40, 1);
  const Style style{picture, 1};
  const Config config = preset("coursera");
  Session session(*backend, weights(), config.objective);
  const Losses losses = score(session, config, picture, picture, std::span(&style, 1));
  EXPECT_EQ(losses["content"].value, 0);
  // The same Gram matrix twice, once normalised beforehand: only rounding is left.
  EXPECT_LT(losses["style"].value, 1e-6);
}

TEST(Stylizer, StylesAverageByWeight) {
  const auto backend = make_backend("cpu", Precision::fp32);
  const Image content = random_image(24, 24, 1);
  const std::vector<Style> twice = {{random_image(20, 20, 2), 1}, {random_image(20, 20, 2), 3}};
  const std::vector<Style> ignored = {{random_image(20, 20, 2), 1}, {random_image(28, 20, 3), 0}};
  const Config config = preset("coursera");
  Session session(*backend, weights(), config.objective);
  const auto total = [&](std::span<const Style> styles) {
    return score(session, config, content, content, styles).total;
  };
  const double once = total(std::span(twice).first(1));
  EXPECT_NEAR(total(twice) / once, 1, 1e-6);
  EXPECT_NEAR(total(ignored) / once, 1, 1e-6);
}

TEST(Stylizer, AStyleIsExpected) {
  const auto backend = make_backend("cpu", Precision::fp32);
  const Image content = random_image(16, 16, 1);
  const std::span<const Image> one(&content, 1);
  const Config config = preset("coursera");
  Session session(*backend, weights(), config.objective);
  EXPECT_THROW(Stylizer(session, config, one, {}, one), Error);
}

TEST(Stylizer, APictureTooSmallForItsDeepestLayerIsRefused) {
  const auto backend = make_backend("cpu", Precision::fp32);
  Config config = preset("coursera");
  config.objective.pool.rounding = kernels::PoolRounding::down;
  const Image content = random_image(8, 8, 1);
  const Style style{content, 1};
  const std::span<const Image> one(&content, 1);
  Session session(*backend, weights(), config.objective);
  EXPECT_THROW(Stylizer(session, config, one, std::span(&style, 1), one), Error);
}

TEST(Activation, HasTheShapeOfItsLayer) {
  const auto backend = make_backend("cpu", Precision::fp32);
  Session session(*backend, weights(), preset("coursera").objective);
  const Activation found = activation(session, random_image(30, 41, 1), "conv4_2");
  EXPECT_EQ(found.height, 4);
  EXPECT_EQ(found.width, 6);
  EXPECT_EQ(found.channels, 512);
  EXPECT_EQ(found.values.size(), 4U * 6 * 512);
  EXPECT_GE(*std::min_element(found.values.begin(), found.values.end()), 0);
}

}  // namespace
}  // namespace impasto::stylizer_test
