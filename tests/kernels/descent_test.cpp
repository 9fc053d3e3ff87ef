// SPDX-License-Identifier: MIT
#include "kernels/descent/descent.hpp"

#include <gtest/gtest.h>

#include "tests/support/compare.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::descent_test {
namespace {

template <class T>
void gives_the_worked_example() {
  std::vector<T> x = {10, 20, 30};
  const std::vector<T> grad = {1, -2, 16};
  std::int64_t step = 0;
  // Of a gradient that is 2 times the true one: rates 8, 4, 2 after 0, 3, 6 steps.
  const DescentOptions options{
      .learning_rate = 8, .decay = {0.5, 3}, .lowest = 0, .highest = 27, .gradient_scale = 2};
  const auto descend = [&] {
    if constexpr (std::is_same_v<T, double>) {
      reference::descent(x.data(), &step, grad.data(), 3, options);
    } else {
      cpu::descent(x.data(), &step, grad.data(), 3, options);
    }
  };
  descend();
  EXPECT_EQ(x, (std::vector<T>{6, 27, 0}));
  step = 3;
  descend();
  EXPECT_EQ(step, 4);
  EXPECT_EQ(x, (std::vector<T>{4, 27, 0}));
}

TEST(Descent, ReferenceGivesTheWorkedExample) { gives_the_worked_example<double>(); }
TEST(Descent, CpuGivesTheWorkedExample) { gives_the_worked_example<float>(); }

TEST(Descent, CpuFollowsTheReference) {
  for (const std::int64_t count : {1, 7, 4096, 100'003}) {
    auto x = test::gaussian<float>(count, 1, 120, 60);
    auto expected = widened(x);
    std::int64_t step = 0;
    std::int64_t expected_step = 0;
    for (std::uint64_t i = 0; i < 4; ++i) {
      const auto grad = test::gaussian<float>(count, 2 + i);
      const DescentOptions options{
          .learning_rate = 30, .decay = {0.5, 2}, .lowest = 0, .highest = 255};
      cpu::descent(x.data(), &step, grad.data(), count, options);
      reference::descent(expected.data(), &expected_step, widened(grad).data(), count, options);
    }
    EXPECT_TRUE(test::is_close(x, expected, {2e-7, 2e-6}));
    EXPECT_EQ(step, 4);
  }
}

}  // namespace
}  // namespace impasto::kernels::descent_test
