// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "kernels/preprocess/preprocess.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

constexpr std::array<std::int64_t, 8> pixel_counts = {1, 2, 3, 5, 16, 17, 31, 1009};
constexpr std::array<float, 3> mean = {123.68F, 116.779F, 103.939F};

/// `offset` 0 lets the kernel use vectors, 1 does not.
template <class T>
GuardedBuffer<T> run(const GuardedBuffer<float>& pixels, const std::array<float, 3>& mean_pixel,
                     std::int64_t offset) {
  return test::under_every_schedule([&] {
    DeviceArray<float> x(pixels, offset);
    DeviceArray<T> y(static_cast<std::int64_t>(pixels.size()), offset);
    IMPASTO_DEVICE::preprocess(y.data(), x.data(), mean_pixel,
                               static_cast<std::int64_t>(pixels.size()) / 3, nullptr);
    return y.values();
  });
}

TEST(PreprocessDevice, MatchesTheReference) {
  test::for_each_storage_type([]<class T>() {
    for (const std::int64_t count : pixel_counts) {
      for (const std::int64_t offset : {0, 1}) {
        SCOPED_TRACE(testing::Message() << count << " pixels, offset " << offset);
        const auto pixels = test::gaussian<float>(3 * count, 1, 128, 60);
        GuardedBuffer<double> expected(3 * count);
        reference::preprocess(expected.data(), widened(pixels).data(), {mean[0], mean[1], mean[2]},
                              count);
        EXPECT_TRUE(test::is_close(run<T>(pixels, mean, offset), test::rounded<T>(expected),
                                   test::elementwise<T>));
      }
    }
  });
}

TEST(PreprocessDevice, PadsChannelsWithZeros) {
  test::for_each_storage_type([]<class T>() {
    constexpr int padded = IMPASTO_DEVICE::padded_channels;
    for (const std::int64_t count : pixel_counts) {
      for (const std::int64_t offset : {0, 1}) {
        SCOPED_TRACE(testing::Message() << count << " pixels, offset " << offset);
        const auto pixels = test::gaussian<float>(3 * count, 1, 128, 60);
        const GuardedBuffer<T> found = test::under_every_schedule([&] {
          DeviceArray<float> x(pixels, offset);
          DeviceArray<T> y(padded * count, offset);
          IMPASTO_DEVICE::preprocess_padded(y.data(), x.data(), mean, count, nullptr);
          return y.values();
        });
        const GuardedBuffer<T> three = run<T>(pixels, mean, 0);
        GuardedBuffer<T> expected(padded * count);
        for (std::size_t i = 0; i < expected.size(); ++i) {
          const std::size_t channel = i % padded;
          expected[i] = channel < 3 ? three[i / padded * 3 + channel] : static_cast<T>(0.0F);
        }
        EXPECT_TRUE(test::same_bits(found, expected));
      }
    }
  });
}

TEST(PreprocessDevice, IsExactOnIntegers) {
  test::for_each_storage_type([]<class T>() {
    const auto pixels = test::integers<float>(303, 2, 0, 255);
    GuardedBuffer<double> expected(303);
    reference::preprocess(expected.data(), widened(pixels).data(), {124, 117, 104}, 101);
    EXPECT_TRUE(test::is_equal(run<T>(pixels, {124, 117, 104}, 0), expected));
  });
}

}  // namespace
}  // namespace impasto::kernels
