// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "kernels/guide/guide.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::guide_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

TEST(GuideDevice, ForwardMatchesTheReference) {
  test::for_each_storage_type([&]<class T>() {
    test::for_each_small_map(test::map_sizes, [&](const MapSize& size, std::int64_t offset) {
      const auto features = test::features<T>(size.count(), 1);
      const auto weights = test::gaussian<float>(size.pixels(), 2, 0.5, 0.5);
      GuardedBuffer<double> expected(size.count());
      reference::guide_forward(expected.data(), widened(features).data(), widened(weights).data(),
                               size);
      const auto found = test::under_every_schedule([&] {
        DeviceArray<T> x(features, offset);
        DeviceArray<float> guide(weights);
        DeviceArray<T> y(size.count(), offset);
        IMPASTO_DEVICE::guide_forward(y.data(), x.data(), guide.data(), size, nullptr);
        return y.values();
      });
      EXPECT_TRUE(test::is_close(found, test::rounded<T>(expected), test::elementwise<T>));
    });
  });
}

TEST(GuideDevice, BackwardMatchesTheReference) {
  test::for_each_storage_type([&]<class T>() {
    test::for_each_small_map(test::map_sizes, [&](const MapSize& size, std::int64_t offset) {
      const auto features = test::features<T>(size.count(), 1);
      const auto weights = test::gaussian<float>(size.pixels(), 2, 0.5, 0.5);
      const auto gradient = test::gaussian<T>(size.count(), 3);
      const auto held = test::gaussian<T>(size.count(), 4);
      for (const GradientEpilogue& epilogue : test::epilogues) {
        SCOPED_TRACE(epilogue);
        GuardedBuffer<double> expected = widened(held);
        reference::guide_backward(expected.data(), widened(gradient).data(),
                                  widened(features).data(), widened(weights).data(), size,
                                  epilogue);
        const auto found = test::under_every_schedule([&] {
          DeviceArray<T> x(features, offset);
          DeviceArray<T> grad_y(gradient, offset);
          DeviceArray<float> guide(weights);
          DeviceArray<T> unwritten(size.count(), offset);
          DeviceArray<T> written(held, offset);
          DeviceArray<T>& to = epilogue.accumulate ? written : unwritten;
          IMPASTO_DEVICE::guide_backward(to.data(), grad_y.data(), x.data(), guide.data(), size,
                                         epilogue, nullptr);
          return to.values();
        });
        EXPECT_TRUE(test::is_close(found, test::rounded<T>(expected), test::elementwise<T>));
      }
    });
  });
}

}  // namespace
}  // namespace impasto::kernels::guide_device_test
