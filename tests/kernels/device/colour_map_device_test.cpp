// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "kernels/colour_map/colour_map.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::colour_map_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

TEST(ColourMapDevice, MatchesTheReference) {
  for (const std::int64_t pixels : {1, 31, 257, 1009}) {
    for (const bool accumulate : {false, true}) {
      SCOPED_TRACE(testing::Message() << pixels << " pixels, accumulate " << accumulate);
      const auto x = test::gaussian<float>(3 * pixels, 1);
      const auto held = test::gaussian<float>(3 * pixels, 2);
      GuardedBuffer<double> expected = widened(held);
      reference::colour_map(expected.data(), widened(x).data(), decorrelated_to_rgb, accumulate,
                            pixels);
      const auto found = test::under_every_schedule([&] {
        DeviceArray<float> from(x, 1);
        DeviceArray<float> unwritten(3 * pixels, 1);
        DeviceArray<float> written(held, 1);
        DeviceArray<float>& y = accumulate ? written : unwritten;
        IMPASTO_DEVICE::colour_map(y.data(), from.data(), decorrelated_to_rgb, accumulate, pixels,
                                   nullptr);
        return y.values();
      });
      EXPECT_TRUE(test::is_close(found, expected, {2e-7, 2e-6}));
    }
  }
}

}  // namespace
}  // namespace impasto::kernels::colour_map_device_test
