// SPDX-License-Identifier: MIT
#include "kernels/colour_map/colour_map.hpp"

#include <cmath>
#include <gtest/gtest.h>

#include "tests/support/compare.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/random_fill.hpp"
#include "tests/support/threads.hpp"

namespace impasto::kernels::colour_map_test {
namespace {

using test::GuardedBuffer;
using Numbers = std::vector<double>;

constexpr ColourMatrix matrix{{1, 2, 3,  //
                               0, 1, 0,  //
                               4, 0, -1}};

TEST(ColourMap, ReferenceGivesTheWorkedExample) {
  const Numbers x = {1, 1, 1, 2, 0, 5};
  Numbers y = {100, 100, 100, 200, 200, 200};
  reference::colour_map(y.data(), x.data(), matrix, true, 2);
  EXPECT_EQ(y, (Numbers{106, 101, 103, 217, 200, 203}));
  reference::colour_map(y.data(), x.data(), matrix.transposed(), false, 2);
  EXPECT_EQ(y, (Numbers{5, 3, 2, 22, 4, 1}));
}

/// x·(Mᵀy) = (M x)·y: so a gradient by M·z is Mᵀ times that by the pixels.
TEST(ColourMap, TheTransposeIsTheWayOfAGradient) {
  const auto x = test::gaussian(30, 1);
  const auto y = test::gaussian(30, 2);
  GuardedBuffer<double> there(30);
  GuardedBuffer<double> back(30);
  reference::colour_map(there.data(), x.data(), decorrelated_to_rgb, false, 10);
  reference::colour_map(back.data(), y.data(), decorrelated_to_rgb.transposed(), false, 10);
  EXPECT_NEAR(test::dot(there, y), test::dot(x, back), 1e-12);
}

TEST(ColourMap, TheLargestColumnOfDecorrelatedColoursHasTheLengthOne) {
  const auto& m = decorrelated_to_rgb.values;
  EXPECT_NEAR(std::hypot(m[0], m[3], m[6]), 1, 1e-3);
  EXPECT_LT(std::hypot(m[1], m[4], m[7]), 1);
  EXPECT_LT(std::hypot(m[2], m[5], m[8]), 1);
}

TEST(ColourMap, CpuMatchesTheReferenceOnAnyNumberOfThreads) {
  for (const std::int64_t pixels : {1, 7, 4096, 100'003}) {
    for (const bool accumulate : {false, true}) {
      SCOPED_TRACE(testing::Message() << pixels << " pixels, accumulate " << accumulate);
      const auto x = test::gaussian<float>(3 * pixels, 1);
      const auto held = test::gaussian<float>(3 * pixels, 2);
      GuardedBuffer<double> expected = widened(held);
      reference::colour_map(expected.data(), widened(x).data(), decorrelated_to_rgb, accumulate,
                            pixels);
      const auto on_threads = [&](int threads) {
        const test::ThreadCount scope(threads);
        GuardedBuffer<float> y = accumulate ? held : GuardedBuffer<float>(3 * pixels);
        cpu::colour_map(y.data(), x.data(), decorrelated_to_rgb, accumulate, pixels);
        return y;
      };
      const auto found = on_threads(1);
      EXPECT_TRUE(test::is_close(found, expected, {2e-7, 2e-6}));
      EXPECT_TRUE(test::same_bits(on_threads(2), found));
    }
  }
}

}  // namespace
}  // namespace impasto::kernels::colour_map_test
