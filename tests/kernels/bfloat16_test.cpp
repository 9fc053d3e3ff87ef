// SPDX-License-Identifier: MIT
#include "kernels/common/bfloat16.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace impasto::kernels::bfloat16_test {
namespace {

std::uint16_t rounded(std::uint32_t float_bits) {
  return bfloat16(std::bit_cast<float>(float_bits)).bits;
}

float value_of(std::uint16_t bits) {
  bfloat16 value;
  value.bits = bits;
  return static_cast<float>(value);
}

TEST(Bfloat16, EveryPatternSurvivesTheWayToFloatAndBack) {
  for (std::uint32_t pattern = 0; pattern <= 0xffff; ++pattern) {
    const auto bits = static_cast<std::uint16_t>(pattern);
    const float value = value_of(bits);
    // A signalling NaN comes back quiet; everything else comes back as it was.
    const auto expected = static_cast<std::uint16_t>(std::isnan(value) ? bits | 0x40U : bits);
    ASSERT_EQ(bfloat16(value).bits, expected) << "pattern " << pattern;
  }
}

TEST(Bfloat16, RoundsToNearest) {
  EXPECT_EQ(rounded(0x3f807fff), 0x3f80);  // just under half a step above 1
  EXPECT_EQ(rounded(0x3f808001), 0x3f81);  // just over
}

TEST(Bfloat16, RoundsTiesToEven) {
  EXPECT_EQ(rounded(0x3f808000), 0x3f80);  // 1 + 2⁻⁸, between 1 and 1 + 2⁻⁷
  EXPECT_EQ(rounded(0x3f818000), 0x3f82);  // 1 + 3·2⁻⁸, between 1 + 2⁻⁷ and 1 + 2⁻⁶
  EXPECT_EQ(rounded(0xbf808000), 0xbf80);  // the same below zero
  EXPECT_EQ(rounded(0x3fff8000), 0x4000);  // a carry into the exponent: 1.99609375 becomes 2
}

TEST(Bfloat16, KeepsNaN) {
  EXPECT_TRUE(std::isnan(value_of(rounded(0x7fc00000))));
  // Payloads that lie in the lower half alone, or would carry into the sign when rounded.
  EXPECT_TRUE(std::isnan(value_of(rounded(0x7f800001))));
  EXPECT_TRUE(std::isnan(value_of(rounded(0xff800001))));
  EXPECT_TRUE(std::isnan(value_of(rounded(0x7fffffff))));
  EXPECT_TRUE(std::isnan(value_of(rounded(0xffffffff))));
}

TEST(Bfloat16, KeepsInfinityAndTheSignOfZero) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(static_cast<float>(bfloat16(infinity)), infinity);
  EXPECT_EQ(static_cast<float>(bfloat16(-infinity)), -infinity);
  EXPECT_EQ(bfloat16(0.0F).bits, 0x0000);
  EXPECT_EQ(bfloat16(-0.0F).bits, 0x8000);
}

TEST(Bfloat16, OverflowsToInfinityHalfAStepAboveTheLargest) {
  EXPECT_EQ(rounded(0x7f7f7fff), 0x7f7f);  // still the largest, 3.3895e38
  EXPECT_EQ(rounded(0x7f7f8000), 0x7f80);
  EXPECT_EQ(rounded(0x7f7fffff), 0x7f80);  // the largest float
  EXPECT_EQ(rounded(0xff7fffff), 0xff80);
}

TEST(Bfloat16, KeepsSubnormals) {
  EXPECT_EQ(rounded(0x00010000), 0x0001);
  EXPECT_EQ(rounded(0x00008000), 0x0000);  // a tie between zero and the smallest
  EXPECT_EQ(rounded(0x00008001), 0x0001);
}

TEST(Bfloat16, StoreRoundsToTheTypeOfItsTarget) {
  bfloat16 narrow;
  float wide = 0;
  store(&narrow, 1.00390625F);
  store(&wide, 1.00390625F);
  EXPECT_EQ(static_cast<float>(narrow), 1.0F);
  EXPECT_EQ(wide, 1.00390625F);
}

}  // namespace
}  // namespace impasto::kernels::bfloat16_test
