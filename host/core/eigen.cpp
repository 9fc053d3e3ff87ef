// SPDX-License-Identifier: MIT
#include "host/core/eigen.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

namespace impasto {

Eigen eigen_of(std::vector<double> a, std::size_t n) {
  constexpr int most_sweeps = 30;
  std::vector<double> vectors(n * n, 0);
  for (std::size_t i = 0; i < n; ++i) vectors[i * n + i] = 1;
  // Turns rows, so that memory is read in its order: a is symmetric, and vectors is transposed.
  for (int sweep = 0; sweep < most_sweeps; ++sweep) {
    double beside = 0;
    double all = 0;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        const double square = a[i * n + j] * a[i * n + j];
        all += square;
        if (i != j) beside += square;
      }
    }
    if (beside <= 1e-28 * all) break;
    for (std::size_t p = 0; p < n; ++p) {
      for (std::size_t q = p + 1; q < n; ++q) {
        const double off = a[p * n + q];
        if (off == 0) continue;
        const double theta = (a[q * n + q] - a[p * n + p]) / (2 * off);
        const double t = (theta < 0 ? -1 : 1) / (std::abs(theta) + std::hypot(theta, 1.0));
        const double c = 1 / std::hypot(t, 1.0);
        const double s = t * c;
        for (std::size_t k = 0; k < n; ++k) {
          const double at_p = a[p * n + k];
          const double at_q = a[q * n + k];
          a[p * n + k] = c * at_p - s * at_q;
          a[q * n + k] = s * at_p + c * at_q;
          const double v_p = vectors[p * n + k];
          const double v_q = vectors[q * n + k];
          vectors[p * n + k] = c * v_p - s * v_q;
          vectors[q * n + k] = s * v_p + c * v_q;
        }
        for (std::size_t k = 0; k < n; ++k) {
          const double at_p = a[k * n + p];
          const double at_q = a[k * n + q];
          a[k * n + p] = c * at_p - s * at_q;
          a[k * n + q] = s * at_p + c * at_q;
        }
      }
    }
  }
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater(), [&](std::size_t i) { return a[i * n + i]; });
  Eigen result{std::vector<double>(n), std::vector<double>(n * n)};
  for (std::size_t k = 0; k < n; ++k) {
    result.values[k] = a[order[k] * n + order[k]];
    for (std::size_t i = 0; i < n; ++i) result.vectors[i * n + k] = vectors[order[k] * n + i];
  }
  return result;
}

std::vector<double> power_of(std::vector<double> a, std::size_t n, double exponent, double least) {
  const Eigen eigen = eigen_of(std::move(a), n);
  std::vector<double> result(n * n, 0);
  for (std::size_t k = 0; k < n; ++k) {
    const double value = std::pow(std::max(eigen.values[k], least), exponent);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        result[i * n + j] += value * eigen.vectors[i * n + k] * eigen.vectors[j * n + k];
      }
    }
  }
  return result;
}

}  // namespace impasto
