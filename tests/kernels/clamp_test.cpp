// SPDX-License-Identifier: MIT
#include "kernels/clamp/clamp.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "kernels/common/bfloat16.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::clamp_test {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(Clamp, ReferenceIsTheFormula) {
  const std::vector<double> x = {-3, -0.5, 0, 2, 9};
  std::vector<double> y(5);
  reference::clamp(y.data(), x.data(), -1, 4, 5);
  EXPECT_EQ(y, (std::vector<double>{-1, -0.5, 0, 2, 4}));
  reference::clamp(y.data(), x.data(), 0, infinity, 5);
  EXPECT_EQ(y, (std::vector<double>{0, 0, 0, 2, 9}));
}

TEST(Clamp, CpuGivesWhatTheReferenceGivesInPlaceToo) {
  for (const std::int64_t count : {1, 7, 4096, 100'003}) {
    const auto x = test::gaussian<float>(count, 1);
    test::GuardedBuffer<double> expected(count);
    reference::clamp(expected.data(), widened(x).data(), -0.5, 0.75, count);
    test::GuardedBuffer<float> found(count);
    cpu::clamp(found.data(), x.data(), -0.5, 0.75, count);
    EXPECT_TRUE(test::is_equal(found, expected));
    test::GuardedBuffer<float> in_place = x;
    cpu::clamp(in_place.data(), in_place.data(), -0.5, 0.75, count);
    EXPECT_TRUE(test::same_bits(in_place, found));
  }
}

TEST(Clamp, ANanStaysANan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  float y = 0;
  cpu::clamp(&y, &nan, 0, 255, 1);
  EXPECT_TRUE(std::isnan(y));
}

}  // namespace
}  // namespace impasto::kernels::clamp_test
