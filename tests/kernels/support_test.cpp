// SPDX-License-Identifier: MIT
// The instruments of the other tests: each must be able to say no.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "kernels/common/bfloat16.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/guarded_buffer.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::test::support_test {
namespace {

TEST(GuardedBuffer, StartsAsNaN) {
  for (const float value : GuardedBuffer<float>(5)) EXPECT_TRUE(std::isnan(value));
  for (const kernels::bfloat16 value : GuardedBuffer<kernels::bfloat16>(5)) {
    EXPECT_TRUE(std::isnan(static_cast<float>(value)));
  }
}

TEST(GuardedBuffer, ReportsAWriteBeforeItsStart) {
  EXPECT_NONFATAL_FAILURE(
      {
        GuardedBuffer<float> buffer(3);
        buffer.data()[-1] = 0;
      },
      "element -1 of 3");
}

TEST(GuardedBuffer, ReportsAWriteBehindItsEnd) {
  EXPECT_NONFATAL_FAILURE(
      {
        GuardedBuffer<kernels::bfloat16> buffer(3);
        buffer.data()[3] = kernels::bfloat16(1);
      },
      "element 3 of 3");
}

TEST(Close, NamesTheWorstIndexAndBothValues) {
  const std::vector<float> actual = {1, 2, 3.5, 4};
  const std::vector<double> expected = {1, 2, 3, 4};
  const auto result = is_close(actual, expected, {1e-3, 1e-3});
  ASSERT_FALSE(result);
  EXPECT_NE(std::string(result.message()).find("index 2 of 4: 3.5, expected 3"), std::string::npos)
      << result.message();
}

TEST(Close, MeasuresErrorsAgainstTheRmsOfTheExpected) {
  const std::vector<double> expected = {0, 2};  // RMS √2
  const std::vector<double> actual = {1, 2};    // RMS error 1/2 of it, worst 1/√2 of it
  EXPECT_TRUE(is_close(actual, expected, {0.51, 0.71}));
  EXPECT_FALSE(is_close(actual, expected, {0.49, 0.71}));
  EXPECT_FALSE(is_close(actual, expected, {0.51, 0.70}));
}

TEST(Close, NeverAcceptsNaNOrInfinity) {
  const std::vector<double> expected = {1, 2};
  EXPECT_FALSE(is_close(std::vector<double>{1, NAN}, expected, {10, 10}));
  EXPECT_FALSE(is_close(std::vector<double>{HUGE_VAL, 2}, expected, {10, 10}));
  EXPECT_FALSE(is_equal(std::vector<double>{NAN}, std::vector<double>{NAN}));
}

TEST(Close, WantsZerosWhereAllIsZero) {
  const std::vector<double> zeros = {0, 0};
  EXPECT_TRUE(is_close(zeros, zeros, {1e-6, 1e-6}));
  EXPECT_FALSE(is_close(std::vector<double>{0, 1e-30}, zeros, {1e-6, 1e-6}));
}

TEST(RandomFill, GaussianHasItsMeanAndDeviation) {
  std::vector<double> values(1 << 16);
  fill_gaussian(values, 5, 3, 2);
  double mean = 0;
  double variance = 0;
  for (const double value : values) mean += value / (1 << 16);
  for (const double value : values) variance += (value - mean) * (value - mean) / (1 << 16);
  EXPECT_NEAR(mean, 3, 0.03);  // four standard errors
  EXPECT_NEAR(variance, 4, 0.09);
}

TEST(RandomFill, IntegersReachBothEndsAndNothingBeyond) {
  std::vector<float> values(1000);
  fill_integers(values, 5, -4, 4);
  const auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
  EXPECT_EQ(*lowest, -4);
  EXPECT_EQ(*highest, 4);
  for (const float value : values) EXPECT_EQ(value, std::round(value));
}

TEST(GradientCheck, TellsARightGradientFromAWrongOne) {
  const auto cube = [](const GuardedBuffer<double>& x) {
    return x[0] * x[0] * x[0] + x[1] * x[1] * x[1];
  };
  const GuardedBuffer<double> x{1, 2};
  EXPECT_LT(gradient_error(cube, x, {3, 12}), 1e-9);
  EXPECT_GT(gradient_error(cube, x, {3, 12.001}), 1e-6);
}

}  // namespace
}  // namespace impasto::test::support_test
