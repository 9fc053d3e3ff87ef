// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "kernels/crop/crop.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/crop_cases.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::crop_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

/// Calls check(case, offset) for cases that are small enough for the host-SIMT machine.
template <class Check>
void for_each_small_crop(Check check) {
  for (const test::CropCase& one : test::crop_cases) {
    if (one.whole.count() > 10000) continue;
    for (const std::int64_t offset : {0, 1}) {
      SCOPED_TRACE(testing::Message() << one.part << ", offset " << offset);
      check(one, offset);
    }
  }
}

TEST(CropDevice, ForwardMatchesTheReference) {
  test::for_each_storage_type([&]<class T>() {
    for_each_small_crop([&](const test::CropCase& one, std::int64_t offset) {
      const auto features = test::features<T>(one.whole.count(), 1);
      GuardedBuffer<double> expected(one.part.count());
      reference::crop_forward(expected.data(), widened(features).data(), one.part, one.whole,
                              one.corner);
      const auto found = test::under_every_schedule([&] {
        DeviceArray<T> x(features, offset);
        DeviceArray<T> y(one.part.count(), offset);
        IMPASTO_DEVICE::crop_forward(y.data(), x.data(), one.part, one.whole, one.corner, nullptr);
        return y.values();
      });
      EXPECT_TRUE(test::is_close(found, test::rounded<T>(expected), test::elementwise<T>));
    });
  });
}

TEST(CropDevice, BackwardMatchesTheReference) {
  test::for_each_storage_type([&]<class T>() {
    for_each_small_crop([&](const test::CropCase& one, std::int64_t offset) {
      const auto features = test::features<T>(one.whole.count(), 1);
      const auto gradient = test::gaussian<T>(one.part.count(), 3);
      const auto held = test::gaussian<T>(one.whole.count(), 4);
      for (const GradientEpilogue& epilogue : test::epilogues) {
        SCOPED_TRACE(epilogue);
        GuardedBuffer<double> expected = widened(held);
        reference::crop_backward(expected.data(), widened(gradient).data(),
                                 widened(features).data(), one.part, one.whole, one.corner,
                                 epilogue);
        const auto found = test::under_every_schedule([&] {
          DeviceArray<T> x(features, offset);
          DeviceArray<T> grad_y(gradient, offset);
          DeviceArray<T> unwritten(one.whole.count(), offset);
          DeviceArray<T> written(held, offset);
          DeviceArray<T>& to = epilogue.accumulate ? written : unwritten;
          IMPASTO_DEVICE::crop_backward(to.data(), grad_y.data(), x.data(), one.part, one.whole,
                                        one.corner, epilogue, nullptr);
          return to.values();
        });
        EXPECT_TRUE(test::is_close(found, test::rounded<T>(expected), test::elementwise<T>));
      }
    });
  });
}

}  // namespace
}  // namespace impasto::kernels::crop_device_test
