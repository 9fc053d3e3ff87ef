// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "kernels/axpby/axpby.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::axpby_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

TEST(AxpbyDevice, GivesTheBitsOfTheCpu) {
  for (const std::int64_t count : {1, 2, 31, 256, 257, 1009, 4096}) {
    for (const double b : {0.0, 1.0, -0.3}) {
      SCOPED_TRACE(testing::Message() << count << " values, b = " << b);
      const auto x = test::gaussian<float>(count, 1);
      const auto y = test::gaussian<float>(count, 2);
      GuardedBuffer<float> expected = y;
      cpu::axpby(expected.data(), 0.7, x.data(), b, count);
      const auto found = test::under_every_schedule([&] {
        DeviceArray<float> from(x, 0);
        DeviceArray<float> to(y, 0);
        IMPASTO_DEVICE::axpby(to.data(), 0.7, from.data(), b, count, nullptr);
        return to.values();
      });
      EXPECT_TRUE(test::same_bits(found, expected));
    }
  }
}

}  // namespace
}  // namespace impasto::kernels::axpby_device_test
