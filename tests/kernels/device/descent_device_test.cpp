// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "kernels/descent/descent.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::descent_device_test {
namespace {

using test::DeviceArray;

TEST(DescentDevice, FollowsTheReferenceOverSeveralSteps) {
  const DescentOptions options{
      .learning_rate = 30, .decay = {0.5, 2}, .lowest = 0, .highest = 255, .gradient_scale = 2};
  for (const std::int64_t count : {1, 2, 31, 256, 257, 1009, 4096}) {
    SCOPED_TRACE(testing::Message() << count << " values");
    const auto x = test::gaussian<float>(count, 1, 120, 60);
    const auto grad = test::gaussian<float>(count, 2);
    auto expected = widened(x);
    std::int64_t expected_step = 0;
    for (int i = 0; i < 3; ++i) {
      reference::descent(expected.data(), &expected_step, widened(grad).data(), count, options);
    }
    const auto found = test::under_every_schedule([&] {
      DeviceArray<float> pixels(x, 1);
      DeviceArray<float> from(grad, 1);
      DeviceArray<std::int64_t> step(test::GuardedBuffer<std::int64_t>(1, std::int64_t{0}));
      DeviceArray<float> workspace(IMPASTO_DEVICE::descent_workspace);
      for (int i = 0; i < 3; ++i) {
        IMPASTO_DEVICE::descent(pixels.data(), step.data(), from.data(), count, options,
                                workspace.data(), nullptr);
      }
      EXPECT_EQ(step.values()[0], 3);
      return pixels.values();
    });
    EXPECT_TRUE(test::is_close(found, expected, {2e-7, 2e-6}));
  }
}

}  // namespace
}  // namespace impasto::kernels::descent_device_test
