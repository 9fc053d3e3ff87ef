// SPDX-License-Identifier: MIT
#include "kernels/axpby/axpby.hpp"

#include <gtest/gtest.h>
#include <limits>

#include "tests/support/compare.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::axpby_test {
namespace {

TEST(Axpby, ReferenceIsTheFormula) {
  const std::vector<double> x = {1, -2, 0.5};
  std::vector<double> y = {10, 20, 30};
  reference::axpby(y.data(), 3, x.data(), 2, 3);
  EXPECT_EQ(y, (std::vector<double>{23, 34, 61.5}));
}

TEST(Axpby, WithoutBTheOldValuesDoNotMatter) {
  std::vector<double> y(1, std::numeric_limits<double>::quiet_NaN());
  const std::vector<double> x = {4};
  reference::axpby(y.data(), 0.5, x.data(), 0, 1);
  EXPECT_EQ(y[0], 2);
  std::vector<float> narrow(1, std::numeric_limits<float>::quiet_NaN());
  const std::vector<float> four = {4};
  cpu::axpby(narrow.data(), 0.5, four.data(), 0, 1);
  EXPECT_EQ(narrow[0], 2);
}

TEST(Axpby, TheCpuFollowsTheReference) {
  for (const std::int64_t count : {1, 7, 4096, 100'003}) {
    const auto x = test::gaussian(count, 1);
    const auto y = test::gaussian(count, 2);
    std::vector<double> expected(y.begin(), y.end());
    const std::vector<float> narrow_x(x.begin(), x.end());
    std::vector<float> found(y.begin(), y.end());
    reference::axpby(expected.data(), 0.3, x.data(), 1, count);
    cpu::axpby(found.data(), 0.3, narrow_x.data(), 1, count);
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_NEAR(found[i], expected[i], 2e-6 * (1 + std::abs(expected[i]))) << i;
    }
  }
}

}  // namespace
}  // namespace impasto::kernels::axpby_test
