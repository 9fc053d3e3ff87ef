// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "kernels/replicate_border/replicate_border.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::replicate_border_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

constexpr std::array<float, 3> mean = {124, 117, 104};

/// One pixel, one row, one column, two, and more of both, than a block has threads as well.
constexpr std::array sizes = {MapSize{1, 1, 1, 2}, MapSize{2, 1, 5, 3}, MapSize{1, 4, 1, 3},
                              MapSize{1, 2, 2, 5}, MapSize{2, 3, 4, 5}, MapSize{1, 7, 45, 64}};

std::int64_t pixel_values(const MapSize& size) { return 3 * size.batch * size.pixels(); }

// As the first convolution's own limits.
constexpr test::ErrorLimit float_limit{5e-7, 4e-6};

TEST(ReplicateBorderDevice, ForwardMatchesTheReference) {
  test::for_each_storage_type([]<class T>() {
    for (const MapSize& size : sizes) {
      SCOPED_TRACE(size);
      const auto pixels = test::gaussian<float>(pixel_values(size), 1, 128, 60);
      const auto weight = test::gaussian<float>(27 * size.channels, 2, 0, 0.2);
      const auto bias = test::gaussian<float>(size.channels, 3);
      const auto before = test::gaussian<T>(size.count(), 4);
      const auto found = test::under_every_schedule([&] {
        DeviceArray<float> x(pixels, 0);
        DeviceArray<float> filters(weight, 0);
        DeviceArray<float> biases(bias, 0);
        DeviceArray<T> y(before, 0);
        IMPASTO_DEVICE::replicate_border_forward(y.data(), x.data(), filters.data(), biases.data(),
                                                 mean, size, true, nullptr);
        return y.values();
      });
      GuardedBuffer<double> expected = widened(before);
      reference::replicate_border_forward(expected.data(), widened(pixels).data(),
                                          widened(weight).data(), widened(bias).data(),
                                          {mean[0], mean[1], mean[2]}, size, true);
      EXPECT_TRUE(test::is_close(found, test::rounded<T>(expected),
                                 sizeof(T) == 4 ? float_limit : test::elementwise<T>));
    }
  });
}

TEST(ReplicateBorderDevice, BackwardMatchesTheReference) {
  test::for_each_storage_type([]<class T>() {
    for (const MapSize& size : sizes) {
      SCOPED_TRACE(size);
      const auto weight = test::gaussian<float>(27 * size.channels, 2, 0, 0.2);
      const auto grad_y = test::gaussian<T>(size.count(), 5);
      const auto before = test::gaussian<float>(pixel_values(size), 6);
      const auto found = test::under_every_schedule([&] {
        DeviceArray<T> from(grad_y, 0);
        DeviceArray<float> filters(weight, 0);
        DeviceArray<float> grad_pixels(before, 0);
        IMPASTO_DEVICE::replicate_border_backward(grad_pixels.data(), from.data(), filters.data(),
                                                  size, nullptr);
        return grad_pixels.values();
      });
      GuardedBuffer<double> expected = widened(before);
      reference::replicate_border_backward(expected.data(), widened(grad_y).data(),
                                           widened(weight).data(), size);
      EXPECT_TRUE(test::is_close(found, expected, float_limit));
    }
  });
}

}  // namespace
}  // namespace impasto::kernels::replicate_border_device_test
