// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "kernels/preprocess/preprocess.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::preprocess_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

constexpr std::array<std::int64_t, 8> pixel_counts = {1, 2, 3, 5, 16, 17, 31, 1009};
constexpr int padded = IMPASTO_DEVICE::padded_channels;
constexpr std::array<float, 3> mean = {123.68F, 116.779F, 103.939F};

/// `offset` 0 lets the kernel use vectors, 1 does not.
template <class T>
GuardedBuffer<T> run(const GuardedBuffer<float>& pixels, const std::array<float, 3>& mean_pixel,
                     std::int64_t offset) {
  const auto count = static_cast<std::int64_t>(pixels.size()) / 3;
  return test::under_every_schedule([&] {
    DeviceArray<float> x(pixels, offset);
    DeviceArray<T> y(padded * count, offset);
    IMPASTO_DEVICE::preprocess_padded(y.data(), x.data(), mean_pixel, count, nullptr);
    return y.values();
  });
}

/// The reference, whose three channels are followed by zeros.
GuardedBuffer<double> expected(const GuardedBuffer<float>& pixels,
                               const std::array<double, 3>& mean_pixel) {
  const std::size_t count = pixels.size() / 3;
  GuardedBuffer<double> three(static_cast<std::int64_t>(3 * count));
  reference::preprocess(three.data(), widened(pixels).data(), mean_pixel,
                        static_cast<std::int64_t>(count));
  GuardedBuffer<double> all(static_cast<std::int64_t>(padded * count));
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = i % padded < 3 ? three[i / padded * 3 + i % padded] : 0;
  }
  return all;
}

TEST(PreprocessDevice, MatchesTheReferenceAndPadsWithZeros) {
  test::for_each_storage_type([]<class T>() {
    for (const std::int64_t count : pixel_counts) {
      for (const std::int64_t offset : {0, 1}) {
        SCOPED_TRACE(testing::Message() << count << " pixels, offset " << offset);
        const auto pixels = test::gaussian<float>(3 * count, 1, 128, 60);
        const auto found = run<T>(pixels, mean, offset);
        EXPECT_TRUE(test::is_close(found,
                                   test::rounded<T>(expected(pixels, {mean[0], mean[1], mean[2]})),
                                   test::elementwise<T>));
        for (std::size_t i = 0; i < found.size(); ++i) {
          if (i % padded < 3) continue;
          ASSERT_EQ(static_cast<float>(found[i]), 0);
        }
      }
    }
  });
}

TEST(PreprocessDevice, IsExactOnIntegers) {
  test::for_each_storage_type([]<class T>() {
    const auto pixels = test::integers<float>(303, 2, 0, 255);
    EXPECT_TRUE(
        test::is_equal(run<T>(pixels, {124, 117, 104}, 0), expected(pixels, {124, 117, 104})));
  });
}

}  // namespace
}  // namespace impasto::kernels::preprocess_device_test
