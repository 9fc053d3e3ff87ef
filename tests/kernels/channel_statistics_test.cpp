// SPDX-License-Identifier: MIT
#include "kernels/channel_statistics/channel_statistics.hpp"

#include <gtest/gtest.h>

#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/random_fill.hpp"
#include "tests/support/threads.hpp"

namespace impasto::kernels::channel_statistics_test {
namespace {

using test::GuardedBuffer;
using Numbers = std::vector<double>;

GuardedBuffer<double> statistics_of(const GuardedBuffer<double>& features, const MapSize& size,
                                    const double* weights = nullptr) {
  GuardedBuffer<double> statistics(2 * size.batch * size.channels);
  reference::channel_statistics(statistics.data(), features.data(), weights, size);
  return statistics;
}

template <class T>
GuardedBuffer<float> cpu_statistics_of(const GuardedBuffer<T>& features, const MapSize& size,
                                       const float* weights = nullptr) {
  GuardedBuffer<float> statistics(2 * size.batch * size.channels);
  cpu::channel_statistics(statistics.data(), features.data(), weights, size);
  return statistics;
}

TEST(ChannelStatistics, ReferenceGivesTheWorkedExample) {
  // Two images of two pixels with two channels: (1,5) and (3,5), then (0,2) and (0,−2).
  const GuardedBuffer<double> features{1, 5, 3, 5, 0, 2, 0, -2};
  EXPECT_TRUE(test::is_equal(statistics_of(features, {2, 1, 2, 2}), Numbers{2, 5, 1, 0,  //
                                                                            0, 0, 0, 2}));
}

TEST(ChannelStatistics, ReferenceGivesTheWorkedExampleOfWeights) {
  // Weights of 0.5 and 1.5: means 2.5 and 5, mean squares 0.5·½ + 13.5·½ = 7 and 25.
  const GuardedBuffer<double> features{1, 5, 3, 5};
  const GuardedBuffer<double> weights{0.5, 1.5};
  EXPECT_TRUE(test::is_close(statistics_of(features, {1, 1, 2, 2}, weights.data()),
                             GuardedBuffer<double>{2.5, 5, std::sqrt(0.75), 0}, {1e-15, 1e-15}));
}

TEST(ChannelStatistics, ReferenceLossGivesTheWorkedExample) {
  const GuardedBuffer<double> statistics{2, 5, 1, 0};
  const GuardedBuffer<double> target{1, 5, 3, 2};
  GuardedBuffer<double> loss(1);
  GuardedBuffer<double> coefficients(4);
  reference::statistics_loss(loss.data(), coefficients.data(), statistics.data(), target.data(), 1,
                             2, {0.5, 10});
  // (2−1)² + (1−3)² + (0−2)² = 9. b = 10·(1−3)/1 = −20, a = 10·(2−1) + 20·2 = 50; the second
  // channel does not vary.
  EXPECT_TRUE(test::is_equal(loss, Numbers{4.5}));
  EXPECT_TRUE(test::is_equal(coefficients, Numbers{50, 0, -20, 0}));
}

TEST(ChannelStatistics, GradientMatchesCentralDifference) {
  for (const MapSize& size : {MapSize{1, 1, 2, 1}, MapSize{2, 5, 4, 3}, MapSize{1, 7, 1, 2}}) {
    SCOPED_TRACE(size);
    const double weight = 0.3;
    const StatisticsLossScale scale{0.5, weight * 2 * 0.5 / static_cast<double>(size.pixels())};
    const auto features = test::gaussian(size.count(), 1);
    const auto target = test::gaussian(2 * size.channels, 2, 1, 0.2);
    GuardedBuffer<double> coefficients(2 * size.batch * size.channels);
    const auto loss = [&](const GuardedBuffer<double>& at) {
      GuardedBuffer<double> losses(size.batch);
      reference::statistics_loss(losses.data(), coefficients.data(), statistics_of(at, size).data(),
                                 target.data(), size.batch, size.channels, scale);
      return weight * std::accumulate(losses.begin(), losses.end(), 0.0);
    };
    loss(features);
    GuardedBuffer<double> grad(size.count());
    reference::statistics_backward(grad.data(), features.data(), coefficients.data(), size, {});
    EXPECT_LT(gradient_error(loss, features, grad), 1e-7);
  }
}

TEST(ChannelStatistics, CpuMatchesTheReference) {
  for (const MapSize& size : test::map_sizes) {
    SCOPED_TRACE(size);
    const auto features = test::gaussian<float>(size.count(), 1, 0.5);
    const auto target = test::gaussian<float>(2 * size.channels, 2, 1, 0.2);
    const auto expected = statistics_of(widened(features), size);
    const auto found = cpu_statistics_of(features, size);
    EXPECT_TRUE(test::is_close(found, expected, {2e-7, 4e-7}));

    const auto weights = test::gaussian<float>(size.pixels(), 4, 0.2, 1);
    EXPECT_TRUE(test::is_close(cpu_statistics_of(features, size, weights.data()),
                               statistics_of(widened(features), size, widened(weights).data()),
                               {4e-7, 4e-6}));

    const StatisticsLossScale scale{0.5, 0.1};
    GuardedBuffer<double> loss(size.batch);
    GuardedBuffer<double> coefficients(2 * size.batch * size.channels);
    reference::statistics_loss(loss.data(), coefficients.data(), widened(found).data(),
                               widened(target).data(), size.batch, size.channels, scale);
    GuardedBuffer<float> found_loss(size.batch);
    GuardedBuffer<float> found_coefficients(2 * size.batch * size.channels);
    cpu::statistics_loss(found_loss.data(), found_coefficients.data(), found.data(), target.data(),
                         size.batch, size.channels, scale);
    EXPECT_TRUE(test::is_close(found_loss, loss, {2e-7, 4e-7}));
    EXPECT_TRUE(test::is_close(found_coefficients, coefficients, {4e-7, 4e-6}));

    for (const GradientEpilogue& epilogue : test::epilogues) {
      SCOPED_TRACE(epilogue);
      const auto held = test::gaussian<float>(size.count(), 3);
      GuardedBuffer<double> grad = widened(held);
      reference::statistics_backward(grad.data(), widened(features).data(),
                                     widened(found_coefficients).data(), size, epilogue);
      GuardedBuffer<float> found_grad = held;
      cpu::statistics_backward(found_grad.data(), features.data(), found_coefficients.data(), size,
                               epilogue);
      EXPECT_TRUE(test::is_close(found_grad, grad, test::elementwise<float>));
    }
  }
}

TEST(ChannelStatistics, AConstantChannelHasNoDeviationHoweverItsSumsRound) {
  const MapSize size{1, 37, 41, 2};
  GuardedBuffer<float> features(size.count());
  for (std::size_t i = 0; i < features.size(); ++i) features[i] = i % 2 == 0 ? 0.1F : 1234.567F;
  const auto statistics = cpu_statistics_of(features, size);
  EXPECT_EQ(statistics[2], 0);
  EXPECT_EQ(statistics[3], 0);
}

TEST(ChannelStatistics, ASmallDeviationBesideALargeMeanIsNotLost) {
  const MapSize size{1, 64, 64, 1};
  GuardedBuffer<float> features(size.count());
  for (std::size_t i = 0; i < features.size(); ++i) features[i] = i % 2 == 0 ? 999.0F : 1001.0F;
  const auto statistics = cpu_statistics_of(features, size);
  EXPECT_NEAR(statistics[0], 1000, 1e-3);
  EXPECT_NEAR(statistics[1], 1, 1e-5);
}

TEST(ChannelStatistics, CpuHasTheSameBitsOnAnyNumberOfThreads) {
  const MapSize size{2, 131, 97, 35};
  const auto features = test::features<float>(size.count(), 4);
  const auto on_threads = [&](int threads) {
    const test::ThreadCount scope(threads);
    return cpu_statistics_of(features, size);
  };
  EXPECT_TRUE(test::same_bits(on_threads(1), on_threads(2)));
}

}  // namespace
}  // namespace impasto::kernels::channel_statistics_test
