// SPDX-License-Identifier: MIT
#include <cmath>
#include <vector>

#include "kernels/wasserstein_loss/wasserstein_loss.hpp"

namespace impasto::kernels::reference {
namespace {

/// A square matrix of C·C values.
struct Square {
  explicit Square(std::int64_t channels)
      : size(channels), values(static_cast<std::size_t>(channels * channels)) {}
  Square(const double* from, std::int64_t channels)
      : size(channels), values(from, from + channels * channels) {}

  double& operator()(std::int64_t i, std::int64_t j) {
    return values[static_cast<std::size_t>(i * size + j)];
  }
  double operator()(std::int64_t i, std::int64_t j) const {
    return values[static_cast<std::size_t>(i * size + j)];
  }
  [[nodiscard]] double trace() const {
    double sum = 0;
    for (std::int64_t i = 0; i < size; ++i) sum += (*this)(i, i);
    return sum;
  }
  [[nodiscard]] double norm() const {
    double sum = 0;
    for (const double value : values) sum += value * value;
    return std::sqrt(sum);
  }

  std::int64_t size;
  std::vector<double> values;
};

Square operator*(const Square& a, const Square& b) {
  const std::int64_t C = a.size;
  Square product(C);
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < C; ++i) {
    double* row = &product(i, 0);
    for (std::int64_t k = 0; k < C; ++k) {
      const double factor = a(i, k);
      const double* b_row = b.values.data() + k * C;
#pragma omp simd
      for (std::int64_t j = 0; j < C; ++j) row[j] += factor * b_row[j];
    }
  }
  return product;
}

Square operator*(double factor, Square a) {
  for (double& value : a.values) value *= factor;
  return a;
}

Square identity(std::int64_t channels) {
  Square one(channels);
  for (std::int64_t i = 0; i < channels; ++i) one(i, i) = 1;
  return one;
}

/// (3·I − x)/2
Square half_of_three_minus(const Square& x) {
  Square result = -0.5 * x;
  for (std::int64_t i = 0; i < x.size; ++i) result(i, i) += 1.5;
  return result;
}

/// second_moment − means·meansᵀ + ε·I
Square covariance(Square second_moment, const std::vector<double>& means) {
  for (std::int64_t i = 0; i < second_moment.size; ++i) {
    for (std::int64_t j = 0; j < second_moment.size; ++j) {
      second_moment(i, j) -=
          means[static_cast<std::size_t>(i)] * means[static_cast<std::size_t>(j)];
    }
    second_moment(i, i) += least_variance;
  }
  return second_moment;
}

Square root_of(const Square& a) {
  const double norm = a.norm();
  Square y = 1 / norm * a;
  Square z = identity(a.size);
  for (int step = 0; step < root_steps; ++step) {
    const Square t = half_of_three_minus(z * y);
    y = y * t;
    z = t * z;
  }
  return std::sqrt(norm) * y;
}

/// Twice the gradient of tr √B with respect to B, from √B: the Lyapunov equation √B·q + q·√B = 2·I.
Square inverse_root(const Square& root) {
  const double norm = root.norm();
  Square a = 1 / norm * root;
  Square q = 1 / norm * identity(root.size);
  for (int step = 0; step < root_steps; ++step) {
    const Square t = half_of_three_minus(a * a);
    q = q * t;
    a = a * t;
  }
  return q;
}

}  // namespace

void covariance_root(double* root, const double* second_moment, const double* means,
                     std::int64_t channels) {
  const Square result =
      root_of(covariance(Square(second_moment, channels), std::vector(means, means + channels)));
  std::copy(result.values.begin(), result.values.end(), root);
}

void wasserstein_loss(double* loss, double* matrix, double* coefficients, const double* gram,
                      const double* statistics, const WassersteinTarget<double>& target,
                      std::int64_t batch, std::int64_t channels, const WassersteinScale& scale) {
  const std::int64_t C = channels;
  const Square target_covariance =
      covariance(Square(target.second_moment, C), std::vector(target.means, target.means + C));
  const Square root(target.root, C);
  for (std::int64_t n = 0; n < batch; ++n) {
    std::vector<double> means(statistics + 2 * n * C, statistics + (2 * n + 1) * C);
    for (double& mean : means) mean *= scale.mean;
    const Square own = covariance(scale.moment * Square(gram + n * C * C, C), means);
    const Square shared = root_of(root * own * root);
    const Square transport = root * inverse_root(shared) * root;

    double distance = target_covariance.trace() + own.trace() - 2 * shared.trace();
    const double k = 2 * scale.gradient * scale.moment;
    for (std::int64_t i = 0; i < C; ++i) {
      const double difference = means[static_cast<std::size_t>(i)] - target.means[i];
      distance += difference * difference;
      double transported = -target.means[i];
      for (std::int64_t j = 0; j < C; ++j) {
        transported += transport(i, j) * means[static_cast<std::size_t>(j)];
        matrix[(n * C + i) * C + j] = k * ((i == j ? 1 : 0) - transport(i, j));
      }
      coefficients[2 * n * C + i] = k / scale.mean * transported;
      coefficients[(2 * n + 1) * C + i] = 0;
    }
    loss[n] = scale.loss * distance;
  }
}

}  // namespace impasto::kernels::reference
