// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <limits>

#include "kernels/clamp/clamp.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::clamp_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

TEST(ClampDevice, GivesWhatTheReferenceGives) {
  test::for_each_storage_type([]<class T>() {
    for (const std::int64_t count : {1, 2, 31, 256, 257, 1009, 4096}) {
      for (const std::int64_t offset : {0, 1}) {
        for (const double highest : {0.75, std::numeric_limits<double>::infinity()}) {
          SCOPED_TRACE(testing::Message() << count << " values, offset " << offset);
          const auto x = test::gaussian<T>(count, 1);
          GuardedBuffer<double> expected(count);
          reference::clamp(expected.data(), widened(x).data(), -0.5, highest, count);
          const auto found = test::under_every_schedule([&] {
            DeviceArray<T> from(x, offset);
            DeviceArray<T> to(count, offset);
            IMPASTO_DEVICE::clamp(to.data(), from.data(), -0.5, highest, count, nullptr);
            return to.values();
          });
          EXPECT_TRUE(test::is_equal(found, expected));
        }
      }
    }
  });
}

}  // namespace
}  // namespace impasto::kernels::clamp_device_test
