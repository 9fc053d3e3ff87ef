// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "kernels/upsample/upsample.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::upsample_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

TEST(UpsampleDevice, MatchesTheReference) {
  for (const MapSize& size : test::map_sizes) {
    SCOPED_TRACE(size);
    const auto x = test::gaussian<float>(halved(size).count(), 1);
    const auto y = test::gaussian<float>(size.count(), 2);

    GuardedBuffer<double> sum = widened(y);
    reference::upsample_add(sum.data(), widened(x).data(), size);
    const auto found_sum = test::under_every_schedule([&] {
      DeviceArray<float> from(x, 1);
      DeviceArray<float> to(y, 1);
      IMPASTO_DEVICE::upsample_add(to.data(), from.data(), size, nullptr);
      return to.values();
    });
    EXPECT_TRUE(test::is_close(found_sum, sum, test::elementwise<float>));

    GuardedBuffer<double> gathered(halved(size).count());
    reference::upsample_transpose(gathered.data(), widened(y).data(), size);
    const auto found = test::under_every_schedule([&] {
      DeviceArray<float> from(y, 1);
      DeviceArray<float> to(halved(size).count(), 1);
      IMPASTO_DEVICE::upsample_transpose(to.data(), from.data(), size, nullptr);
      return to.values();
    });
    EXPECT_TRUE(test::is_close(found, gathered, test::elementwise<float>));
  }
}

}  // namespace
}  // namespace impasto::kernels::upsample_device_test
