// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "kernels/max_blur/max_blur.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::max_blur_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

/// `offset` 0 lets the kernel use vectors where the channels fill them, 1 does not.
template <class T>
GuardedBuffer<T> forward(const GuardedBuffer<T>& x, const MapSize& size, std::int64_t offset) {
  return test::under_every_schedule([&] {
    DeviceArray<T> from(x, offset);
    DeviceArray<T> y(max_blurred(size).count(), offset);
    IMPASTO_DEVICE::max_blur_forward(y.data(), from.data(), size, nullptr);
    return y.values();
  });
}

/// `held` is what the gradient holds before; without accumulate it is unwritten.
template <class T>
GuardedBuffer<T> backward(const GuardedBuffer<T>& held, const GuardedBuffer<T>& grad_y,
                          const GuardedBuffer<T>& x, const MapSize& size,
                          const GradientEpilogue& epilogue, std::int64_t offset) {
  return test::under_every_schedule([&] {
    DeviceArray<T> from(grad_y, offset);
    DeviceArray<T> features(x, offset);
    DeviceArray<T> unwritten(size.count(), offset);
    DeviceArray<T> written(held, offset);
    DeviceArray<T>& grad_x = epilogue.accumulate ? written : unwritten;
    IMPASTO_DEVICE::max_blur_backward(grad_x.data(), from.data(), features.data(), size, epilogue,
                                      nullptr);
    return grad_x.values();
  });
}

/// Even and odd sides, the smallest that there are, and a row wider than a block.
constexpr std::array sizes = {MapSize{1, 4, 4, 1}, MapSize{2, 5, 4, 16}, MapSize{1, 6, 9, 7},
                              MapSize{1, 7, 61, 16}, MapSize{3, 8, 5, 8}};

TEST(MaxBlurDevice, ForwardMatchesTheReference) {
  test::for_each_storage_type([]<class T>() {
    for (const MapSize& size : sizes) {
      for (const std::int64_t offset : {0, 1}) {
        SCOPED_TRACE(testing::Message() << size << ", offset " << offset);
        const auto x = test::gaussian<T>(size.count(), 1);
        GuardedBuffer<double> expected(max_blurred(size).count());
        reference::max_blur_forward(expected.data(), widened(x).data(), size);
        EXPECT_TRUE(test::is_close(forward(x, size, offset), test::rounded<T>(expected),
                                   test::elementwise<T>));
      }
    }
  });
}

TEST(MaxBlurDevice, BackwardMatchesTheReference) {
  test::for_each_storage_type([]<class T>() {
    for (const MapSize& size : sizes) {
      for (const std::int64_t offset : {0, 1}) {
        // Features have many equal maxima: the zeros.
        const auto x = test::features<T>(size.count(), 2);
        const auto held = test::gaussian<T>(size.count(), 3);
        const auto grad_y = test::gaussian<T>(max_blurred(size).count(), 4);
        for (const GradientEpilogue& epilogue : test::epilogues) {
          SCOPED_TRACE(testing::Message() << size << ", offset " << offset << ", " << epilogue);
          GuardedBuffer<double> expected = widened(held);
          reference::max_blur_backward(expected.data(), widened(grad_y).data(), widened(x).data(),
                                       size, epilogue);
          EXPECT_TRUE(test::is_close(backward(held, grad_y, x, size, epilogue, offset),
                                     test::rounded<T>(expected), test::elementwise<T>));
        }
      }
    }
  });
}

// Sixteenths of small integers are exact in float, and are rounded once to 16 bits.
TEST(MaxBlurDevice, IsExactOnIntegers) {
  const MapSize size{2, 7, 6, 16};
  test::for_each_storage_type([&]<class T>() {
    const auto x = test::integers<T>(size.count(), 5);
    const auto grad_y = test::integers<T>(max_blurred(size).count(), 6);
    GuardedBuffer<double> y(max_blurred(size).count());
    reference::max_blur_forward(y.data(), widened(x).data(), size);
    EXPECT_TRUE(test::is_equal(forward(x, size, 0), test::rounded<T>(y)));
    GuardedBuffer<double> grad_x = widened(x);
    reference::max_blur_backward(grad_x.data(), widened(grad_y).data(), widened(x).data(), size,
                                 {true, true});
    EXPECT_TRUE(
        test::is_equal(backward(x, grad_y, x, size, {true, true}, 0), test::rounded<T>(grad_x)));
  });
}

}  // namespace
}  // namespace impasto::kernels::max_blur_device_test
