// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

namespace impasto::test {

/// How far `actual` may be from `expected`. Both figures are divided by the RMS of `expected`, so
/// that they mean the same whatever the scale of the data and a value near zero spoils nothing.
struct ErrorLimit {
  double rms = 0;    ///< of the root mean square of the differences
  double worst = 0;  ///< of the largest difference
};

/// For kernels that compute in float and round once, against the reference rounded to T: a bfloat16
/// differs only where float and double fall on two sides of a tie, and then by one unit. Observed:
/// at most 1.1e-7 and 6.1e-7 in float, 2.4e-4 and 2.0e-2 in bfloat16.
template <class T>
inline constexpr ErrorLimit elementwise = sizeof(T) == 4 ? ErrorLimit{2e-7, 2e-6}
                                                         : ErrorLimit{1e-3, 5e-2};

namespace detail {
template <class T>
double number(T value) {
  if constexpr (std::is_arithmetic_v<T>) {
    return static_cast<double>(value);
  } else {
    return static_cast<double>(static_cast<float>(value));
  }
}
}  // namespace detail

/// Compares two ranges of numbers of any type. A NaN is always an error.
template <class Actual, class Expected>
::testing::AssertionResult is_close(const Actual& actual, const Expected& expected,
                                    const ErrorLimit& limit) {
  if (actual.size() != expected.size()) {
    return ::testing::AssertionFailure()
           << actual.size() << " values, expected " << expected.size();
  }
  double sum_of_squares = 0;
  double sum_of_errors = 0;
  double worst_error = -1;
  std::size_t worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double wanted = detail::number(expected[i]);
    const double found = detail::number(actual[i]);
    const double error = std::isfinite(found) ? std::abs(found - wanted) : HUGE_VAL;
    sum_of_squares += wanted * wanted;
    sum_of_errors += error * error;
    if (error > worst_error) {
      worst_error = error;
      worst = i;
    }
  }
  const double allowed = std::sqrt(sum_of_squares);
  const double root_n = std::sqrt(static_cast<double>(expected.size()));
  const bool good = std::sqrt(sum_of_errors) <= limit.rms * allowed &&
                    worst_error <= limit.worst * allowed / root_n;
  if (good || expected.size() == 0) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << "relative RMS error " << std::sqrt(sum_of_errors) / allowed << " (limit " << limit.rms
         << "), worst error " << worst_error * root_n / allowed << " of the RMS (limit "
         << limit.worst << ") at index " << worst << " of " << expected.size() << ": "
         << detail::number(actual[worst]) << ", expected " << detail::number(expected[worst]);
}

/// Every number is the same number. Zeros of either sign are equal; NaN never is.
template <class Actual, class Expected>
::testing::AssertionResult is_equal(const Actual& actual, const Expected& expected) {
  return is_close(actual, expected, {0, 0});
}

/// Every bit is the same.
template <class Buffer>
::testing::AssertionResult same_bits(const Buffer& one, const Buffer& other) {
  using T = typename Buffer::value_type;
  if (one.size() == other.size() &&
      std::memcmp(one.data(), other.data(), one.size() * sizeof(T)) == 0) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << "the bits differ";
}

}  // namespace impasto::test
