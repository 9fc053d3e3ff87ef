// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "kernels/normalize_gradient/normalize_gradient.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::normalize_gradient_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

TEST(NormalizeGradientDevice, MatchesTheReference) {
  test::for_each_storage_type([&]<class T>() {
    for (const MapSize& size : test::map_sizes) {
      if (size.count() > 10000) continue;
      const auto features = test::features<T>(size.count(), 1);
      const auto gradient = test::gaussian<T>(size.count(), 2);
      const auto held = test::gaussian<T>(size.count(), 3);
      const GradientNorm to{.norm = static_cast<double>(size.per_image())};
      // With offset 0 a kernel may use vectors, with 1 it may not.
      for (const std::int64_t offset : {0, 1}) {
        for (const GradientEpilogue& epilogue : test::epilogues) {
          SCOPED_TRACE(testing::Message() << size << ", offset " << offset << ", " << epilogue);
          GuardedBuffer<double> expected = widened(held);
          reference::normalize_gradient(expected.data(), widened(gradient).data(),
                                        widened(features).data(), size, to, epilogue);
          const auto found = test::under_every_schedule([&] {
            DeviceArray<T> x(features, offset);
            DeviceArray<T> g(gradient, offset);
            DeviceArray<double> workspace(normalize_gradient_workspace(size));
            DeviceArray<T> unwritten(size.count(), offset);
            DeviceArray<T> written(held, offset);
            DeviceArray<T>& grad = epilogue.accumulate ? written : unwritten;
            IMPASTO_DEVICE::normalize_gradient(grad.data(), g.data(), x.data(), size, to, epilogue,
                                               workspace.data(), nullptr);
            return grad.values();
          });
          EXPECT_TRUE(test::is_close(found, test::rounded<T>(expected), test::elementwise<T>));
        }
      }
    }
  });
}

}  // namespace
}  // namespace impasto::kernels::normalize_gradient_device_test
