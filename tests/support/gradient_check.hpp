// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <numeric>

#include "tests/support/guarded_buffer.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::test {

inline double dot(const GuardedBuffer<double>& a, const GuardedBuffer<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// How far `gradient` is from the slope of loss(x) at x along a random direction d, by the central
/// difference (loss(x+εd) − loss(x−εd)) / 2ε in double. Relative to ‖gradient‖, which is the spread
/// of ⟨gradient,d⟩ over directions: one direction that happens to be flat does no harm.
/// ε = 1e-5 balances the ε² of the difference with the rounding of the loss, 1e-16/ε.
template <class Loss>
double gradient_error(Loss loss, const GuardedBuffer<double>& x,
                      const GuardedBuffer<double>& gradient, std::uint64_t seed = 1,
                      double epsilon = 1e-5) {
  const auto direction = gaussian(static_cast<std::int64_t>(x.size()), seed);
  GuardedBuffer<double> ahead = x;
  GuardedBuffer<double> behind = x;
  for (std::size_t i = 0; i < x.size(); ++i) {
    ahead[i] += epsilon * direction[i];
    behind[i] -= epsilon * direction[i];
  }
  const double difference = (loss(ahead) - loss(behind)) / (2 * epsilon);
  return std::abs(difference - dot(gradient, direction)) / std::sqrt(dot(gradient, gradient));
}

}  // namespace impasto::test
