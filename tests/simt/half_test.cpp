// SPDX-License-Identifier: MIT
#include "simt/half.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace simt::half_test {
namespace {

/// binary16 by its definition.
double value_of(std::uint16_t bits) {
  const int exponent = bits >> 10U & 31;
  const int fraction = bits & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

TEST(Half, EveryFiniteNumberHasItsValueAndComesBack) {
  for (std::uint32_t i = 0; i < 0x10000U; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    if ((bits & 0x7c00U) == 0x7c00U) continue;
    ASSERT_EQ(half_to_float(bits), value_of(bits)) << i;
    ASSERT_EQ(half_from_float(half_to_float(bits)), bits) << i;
  }
}

TEST(Half, BetweenTwoNumbersTheNearestIsTakenAndTheEvenOneInTheMiddle) {
  for (std::uint16_t bits = 0; bits < 0x7bffU; ++bits) {
    const auto above = static_cast<std::uint16_t>(bits + 1);
    const auto middle = static_cast<float>((value_of(bits) + value_of(above)) / 2);
    ASSERT_EQ(half_from_float(middle), bits % 2 == 0 ? bits : above) << bits;
    ASSERT_EQ(half_from_float(std::nextafter(middle, 0.0F)), bits) << bits;
    ASSERT_EQ(half_from_float(std::nextafter(middle, 1e9F)), above) << bits;
  }
}

TEST(Half, TooLargeIsInfiniteAndNanStaysNan) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(half_from_float(65519.996F), 0x7bffU);
  EXPECT_EQ(half_from_float(65520.0F), 0x7c00U);
  EXPECT_EQ(half_from_float(-infinity), 0xfc00U);
  EXPECT_EQ(half_to_float(0x7c00U), infinity);
  EXPECT_TRUE(std::isnan(half_to_float(half_from_float(std::nanf("")))));
}

}  // namespace
}  // namespace simt::half_test
