// SPDX-License-Identifier: MIT
#include "kernels/convert/convert.hpp"

#include <gtest/gtest.h>

#include "tests/support/compare.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels {
namespace {

TEST(Convert, ReferenceChangesNothing) {
  const auto x = test::gaussian(31, 1);
  test::GuardedBuffer<double> y(31);
  reference::convert(y.data(), x.data(), 31);
  EXPECT_TRUE(test::same_bits(y, x));
}

}  // namespace
}  // namespace impasto::kernels
