// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "kernels/max_blur/max_blur.hpp"

namespace impasto::kernels::reference {
namespace {

constexpr std::array<double, 3> binomial = {0.25, 0.5, 0.25};

std::int64_t at(const MapSize& size, std::int64_t n, std::int64_t h, std::int64_t w,
                std::int64_t c) {
  return ((n * size.height + h) * size.width + w) * size.channels + c;
}

/// The cell inside [0, count) that one outside mirrors.
std::int64_t reflected(std::int64_t i, std::int64_t count) {
  const std::int64_t left = std::abs(i);
  return left < count ? left : 2 * (count - 1) - left;
}

/// Where the first maximum of the window at (p, q) lies, or a NaN.
std::int64_t first_maximum_at(const double* x, const MapSize& size, std::int64_t n, std::int64_t p,
                              std::int64_t q, std::int64_t c) {
  std::int64_t first = at(size, n, p, q, c);
  for (std::int64_t cell = 1; cell < 4; ++cell) {
    const std::int64_t other = at(size, n, p + cell / 2, q + cell % 2, c);
    if (x[other] > x[first] || std::isnan(x[other])) first = other;
  }
  return first;
}

/// Calls body(index in y, index in x of a maximum, weight) for every product of the formula.
template <class Body>
void for_each_product(const double* x, const MapSize& x_size, Body body) {
  const MapSize y_size = max_blurred(x_size);
  for (std::int64_t n = 0; n < y_size.batch; ++n) {
    for (std::int64_t i = 0; i < y_size.height; ++i) {
      for (std::int64_t j = 0; j < y_size.width; ++j) {
        for (std::int64_t c = 0; c < x_size.channels; ++c) {
          for (std::size_t tap = 0; tap < 9; ++tap) {
            const auto a = static_cast<std::int64_t>(tap / 3);
            const auto b = static_cast<std::int64_t>(tap % 3);
            const std::int64_t p = reflected(2 * i + a - 2, x_size.height - 1);
            const std::int64_t q = reflected(2 * j + b - 2, x_size.width - 1);
            body(at(y_size, n, i, j, c), first_maximum_at(x, x_size, n, p, q, c),
                 binomial.at(tap / 3) * binomial.at(tap % 3));
          }
        }
      }
    }
  }
}

}  // namespace

void max_blur_forward(double* y, const double* x, const MapSize& x_size) {
  std::fill(y, y + max_blurred(x_size).count(), 0.0);
  for_each_product(x, x_size, [&](std::int64_t to, std::int64_t from, double weight) {
    y[to] += weight * x[from];
  });
}

void max_blur_backward(double* grad_x, const double* grad_y, const double* x, const MapSize& x_size,
                       const GradientEpilogue& epilogue) {
  if (!epilogue.accumulate) std::fill(grad_x, grad_x + x_size.count(), 0.0);
  for_each_product(x, x_size, [&](std::int64_t to, std::int64_t from, double weight) {
    grad_x[from] += weight * grad_y[to];
  });
  if (!epilogue.relu_mask) return;
  for (std::int64_t i = 0; i < x_size.count(); ++i) {
    if (!(x[i] > 0)) grad_x[i] = 0;
  }
}

}  // namespace impasto::kernels::reference
