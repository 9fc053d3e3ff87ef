// SPDX-License-Identifier: MIT
#include "kernels/wasserstein_loss/wasserstein_loss.hpp"

#include <cmath>
#include <gtest/gtest.h>

#include "host/core/eigen.hpp"
#include "kernels/channel_statistics/channel_statistics.hpp"
#include "kernels/gram/gram.hpp"
#include "kernels/style_backward/style_backward.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::wasserstein_loss_test {
namespace {

using test::GuardedBuffer;
using Matrix = GuardedBuffer<double>;

/// A normal distribution by its moments, and the root of its covariance.
struct Distribution {
  Distribution(const GuardedBuffer<double>& means, const Matrix& covariance)
      : channels(static_cast<std::int64_t>(means.size())),
        statistics(2 * channels),
        second_moment(channels * channels),
        root(channels * channels) {
    const auto C = static_cast<std::size_t>(channels);
    for (std::size_t i = 0; i < C; ++i) {
      statistics[i] = means[i];
      statistics[C + i] = 0;
      for (std::size_t j = 0; j < C; ++j) {
        second_moment[i * C + j] = covariance[i * C + j] + means[i] * means[j];
      }
    }
    reference::covariance_root(root.data(), second_moment.data(), statistics.data(), channels);
  }
  std::int64_t channels;
  GuardedBuffer<double> statistics;
  Matrix second_moment;
  Matrix root;
};

struct Result {
  GuardedBuffer<double> loss;
  Matrix matrix;
  GuardedBuffer<double> coefficients;
};

Result compare(const Distribution& own, const Distribution& target,
               const WassersteinScale& scale = {}) {
  Result result{GuardedBuffer<double>(1), Matrix(own.channels * own.channels),
                GuardedBuffer<double>(2 * own.channels)};
  reference::wasserstein_loss(
      result.loss.data(), result.matrix.data(), result.coefficients.data(),
      own.second_moment.data(), own.statistics.data(),
      {target.statistics.data(), target.second_moment.data(), target.root.data()}, 1, own.channels,
      scale);
  return result;
}

TEST(WassersteinLoss, OfOneChannelComparesMeansAndDeviations) {
  // Variances of 9 and 4 less what is added to them.
  const Distribution own({5}, {9 - least_variance});
  const Distribution target({3}, {4 - least_variance});
  const auto [loss, matrix, coefficients] = compare(own, target, {.loss = 10, .gradient = 0.5});
  EXPECT_NEAR(loss[0], 10 * (4 + 1), 1e-12);
  // Deviations of 3 are taken to 2: X = 2/3. Both are multiplied by 2·0.5.
  EXPECT_NEAR(matrix[0], 1 - 2.0 / 3, 1e-13);
  EXPECT_NEAR(coefficients[0], 2.0 / 3 * 5 - 3, 1e-12);
  EXPECT_EQ(coefficients[1], 0);
}

TEST(WassersteinLoss, OfCovariancesWithCommonEigenvectorsComparesTheRootsOfTheirEigenvalues) {
  // Turned by an angle whose cosine is 0.8; eigenvalues of 25 and 1, of 4 and 9.
  const auto turned = [](double first, double second) {
    return Matrix{0.64 * first + 0.36 * second - least_variance, 0.48 * (first - second),
                  0.48 * (first - second), 0.36 * first + 0.64 * second - least_variance};
  };
  const Distribution own({1, 2}, turned(25, 1));
  const Distribution target({1, 0}, turned(4, 9));
  const auto [loss, matrix, coefficients] = compare(own, target);
  EXPECT_NEAR(loss[0], 4 + (5 - 2) * (5 - 2) + (1 - 3) * (1 - 3), 1e-11);
  // I − X with X of eigenvalues 2/5 and 3, times 2.
  EXPECT_NEAR(matrix[0], 2 * (0.64 * 0.6 + 0.36 * -2), 1e-11);
  EXPECT_NEAR(matrix[1], 2 * 0.48 * (0.6 + 2), 1e-11);
  EXPECT_NEAR(matrix[3], 2 * (0.36 * 0.6 + 0.64 * -2), 1e-11);
}

TEST(WassersteinLoss, TheRootTimesItselfIsTheCovariance) {
  const std::int64_t C = 9;
  const MapSize size{1, 5, 7, C};
  const auto features = test::gaussian(size.count(), 1);
  Matrix gram(C * C);
  reference::gram(gram.data(), features.data(), size);
  const GuardedBuffer<double> means(C, 0.0);
  Matrix root(C * C);
  reference::covariance_root(root.data(), gram.data(), means.data(), C);
  for (std::int64_t i = 0; i < C; ++i) {
    for (std::int64_t j = 0; j < C; ++j) {
      double product = 0;
      for (std::int64_t k = 0; k < C; ++k) {
        product +=
            root[static_cast<std::size_t>(i * C + k)] * root[static_cast<std::size_t>(k * C + j)];
      }
      const double expected =
          gram[static_cast<std::size_t>(i * C + j)] + (i == j ? least_variance : 0);
      EXPECT_NEAR(product, expected, 1e-10);
    }
  }
}

std::vector<double> product(const std::vector<double>& a, const std::vector<double>& b,
                            std::size_t n) {
  std::vector<double> result(n * n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t j = 0; j < n; ++j) result[i * n + j] += a[i * n + k] * b[k * n + j];
    }
  }
  return result;
}

TEST(WassersteinLoss, IsThatOfAnEigendecomposition) {
  for (const std::size_t n : {2U, 9U, 32U}) {
    SCOPED_TRACE(n);
    const MapSize size{1, 9, 31, static_cast<std::int64_t>(n)};
    // Covariances that share no eigenvector.
    const auto moments_of = [&](unsigned seed) {
      const auto features = test::gaussian(size.count(), seed);
      Matrix gram(size.channels * size.channels);
      reference::gram(gram.data(), features.data(), size);
      return gram;
    };
    GuardedBuffer<double> means(size.channels);
    for (std::size_t i = 0; i < n; ++i) means[i] = 0.1 * static_cast<double>(i % 7);
    const Distribution own(means, moments_of(1));
    const Distribution target(GuardedBuffer<double>(size.channels, 0.25), moments_of(2));

    // |μ − μ'|² + tr Σ + tr Σ' − 2·tr (Σ'^½ Σ Σ'^½)^½
    const auto covariance = [&](unsigned seed) {
      const Matrix gram = moments_of(seed);
      std::vector<double> result(gram.begin(), gram.end());
      for (std::size_t i = 0; i < n; ++i) result[i * n + i] += least_variance;
      return result;
    };
    const std::vector<double> ours = covariance(1);
    const std::vector<double> theirs = covariance(2);
    const std::vector<double> root = power_of(theirs, n, 0.5, 0);
    const std::vector<double> both = power_of(product(root, product(ours, root, n), n), n, 0.5, 0);
    double expected = 0;
    for (std::size_t i = 0; i < n; ++i) {
      expected += (means[i] - 0.25) * (means[i] - 0.25);
      expected += ours[i * n + i] + theirs[i * n + i] - 2 * both[i * n + i];
    }
    EXPECT_NEAR(compare(own, target).loss[0], expected, 1e-9 * expected);
  }
}

TEST(WassersteinLoss, OfADistributionToItselfIsZeroWithItsGradient) {
  const Distribution own({0.5, -1}, {2, 0.3, 0.3, 1});
  const auto [loss, matrix, coefficients] = compare(own, own);
  EXPECT_NEAR(loss[0], 0, 1e-13);
  for (const double value : matrix) EXPECT_NEAR(value, 0, 1e-13);
  for (const double value : coefficients) EXPECT_NEAR(value, 0, 1e-13);
}

TEST(WassersteinLoss, AConstantMapHasNumbersForItsGradient) {
  const Distribution own({7, 7, 7}, Matrix(9, 0.0));
  const Distribution target({1, 2, 3}, Matrix(9, 0.0));
  const auto [loss, matrix, coefficients] = compare(own, target);
  EXPECT_NEAR(loss[0], 36 + 25 + 16, 1e-9);
  for (const double value : matrix) EXPECT_TRUE(std::isfinite(value));
  for (const double value : coefficients) EXPECT_TRUE(std::isfinite(value));
}

TEST(WassersteinLoss, GradientMatchesCentralDifference) {
  for (const MapSize& size : {MapSize{1, 3, 2, 1}, MapSize{2, 5, 4, 3}, MapSize{1, 7, 6, 5}}) {
    SCOPED_TRACE(size);
    const std::int64_t C = size.channels;
    const auto P = static_cast<double>(size.pixels());
    const double weight = 0.3;
    // As a map that is held at half of its size has them.
    const WassersteinScale scale{.moment = 4 / P, .mean = 2, .loss = 0.5, .gradient = weight * 0.5};
    const auto features = test::gaussian(size.count(), 1);
    GuardedBuffer<double> means(C);
    Matrix covariance(C * C);
    for (std::int64_t i = 0; i < C; ++i) {
      means[static_cast<std::size_t>(i)] = 0.1 * static_cast<double>(i);
      for (std::int64_t j = 0; j < C; ++j) {
        covariance[static_cast<std::size_t>(i * C + j)] = i == j ? 2 : 0.3;
      }
    }
    const Distribution target(means, covariance);
    Matrix matrix(size.batch * C * C);
    GuardedBuffer<double> coefficients(2 * size.batch * C);
    const auto loss = [&](const GuardedBuffer<double>& at) {
      GuardedBuffer<double> losses(size.batch);
      Matrix gram(size.batch * C * C);
      GuardedBuffer<double> statistics(2 * size.batch * C);
      reference::gram(gram.data(), at.data(), size);
      reference::channel_statistics(statistics.data(), at.data(), nullptr, size);
      reference::wasserstein_loss(
          losses.data(), matrix.data(), coefficients.data(), gram.data(), statistics.data(),
          {target.statistics.data(), target.second_moment.data(), target.root.data()}, size.batch,
          C, scale);
      return weight * std::accumulate(losses.begin(), losses.end(), 0.0);
    };
    loss(features);
    GuardedBuffer<double> grad(size.count());
    reference::style_backward(grad.data(), features.data(), matrix.data(), size, {});
    reference::statistics_backward(grad.data(), features.data(), coefficients.data(), size,
                                   {.accumulate = true});
    EXPECT_LT(gradient_error(loss, features, grad), 1e-7);
  }
}

}  // namespace
}  // namespace impasto::kernels::wasserstein_loss_test
