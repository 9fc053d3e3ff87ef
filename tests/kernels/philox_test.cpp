// SPDX-License-Identifier: MIT
#include "kernels/common/philox.hpp"

#include <gtest/gtest.h>

namespace impasto::kernels::philox_test {
namespace {

using Block = std::array<std::uint32_t, 4>;

// The known answers published with the generator (Random123, kat_vectors, philox4x32 10).
TEST(Philox, GivesThePublishedAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox4x32({ones, ones, ones, ones}, {ones, ones}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, IsKnownToTheCompiler) {
  static_assert(philox4x32({0, 0, 0, 0}, {0, 0})[0] == 0x6627e8d5);
  static_assert(philox_uniform(0x80000000) == 0.5F);
}

TEST(Philox, UniformLiesInTheHalfOpenUnitInterval) {
  EXPECT_EQ(philox_uniform(0), 0.0F);
  EXPECT_EQ(philox_uniform(0xff), 0.0F);  // the lower 8 bits are not used
  EXPECT_EQ(philox_uniform(0x100), 0x1p-24F);
  EXPECT_EQ(philox_uniform(0xffffffff), 1 - 0x1p-24F);
  EXPECT_LT(philox_uniform(0xffffffff), 1.0F);
}

TEST(Philox, UniformHasTheMeanAndVarianceOfTheUnitInterval) {
  constexpr int count = 1 << 16;
  double sum = 0;
  double squares = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const double value = philox_uniform(philox4x32({i, 0, 0, 0}, {2026, 0})[i % 4]);
    sum += value;
    squares += value * value;
  }
  const double mean = sum / count;
  // Four standard errors: 1/√(12·count) and 1/√(180·count).
  EXPECT_NEAR(mean, 0.5, 0.0046);
  EXPECT_NEAR(squares / count - mean * mean, 1.0 / 12, 0.0012);
}

}  // namespace
}  // namespace impasto::kernels::philox_test
