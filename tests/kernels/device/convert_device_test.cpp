// SPDX-License-Identifier: MIT
#include <cmath>
#include <gtest/gtest.h>

#include "kernels/convert/convert.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

constexpr std::array<std::int64_t, 8> counts = {1, 2, 3, 4, 5, 31, 1009, 4096};

/// `offset` 0 lets the kernel use vectors, 1 does not.
template <class To, class From>
GuardedBuffer<To> run(const GuardedBuffer<From>& values, std::int64_t offset) {
  const auto count = static_cast<std::int64_t>(values.size());
  return test::under_every_schedule([&] {
    DeviceArray<From> x(values, offset);
    DeviceArray<To> y(count, offset);
    IMPASTO_DEVICE::convert(y.data(), x.data(), count, nullptr);
    return y.values();
  });
}

TEST(ConvertDevice, RoundsTheReferenceOnce) {
  test::for_each_storage_type([]<class T>() {
    for (const std::int64_t count : counts) {
      for (const std::int64_t offset : {0, 1}) {
        SCOPED_TRACE(testing::Message() << count << " values, offset " << offset);
        const auto x = test::gaussian<float>(count, 1);
        GuardedBuffer<double> expected(count);
        reference::convert(expected.data(), widened(x).data(), count);
        EXPECT_TRUE(test::same_bits(run<T>(x, offset), test::rounded<T>(expected)));
      }
    }
  });
}

TEST(ConvertDevice, WidensWithoutError) {
  test::for_each_storage_type([]<class T>() {
    for (const std::int64_t count : counts) {
      for (const std::int64_t offset : {0, 1}) {
        SCOPED_TRACE(testing::Message() << count << " values, offset " << offset);
        const auto x = test::gaussian<T>(count, 2);
        GuardedBuffer<double> expected(count);
        reference::convert(expected.data(), widened(x).data(), count);
        EXPECT_TRUE(test::is_equal(run<float>(x, offset), expected));
      }
    }
  });
}

TEST(ConvertDevice, KeepsNaNAndInfinity) {
  test::for_each_storage_type([]<class T>() {
    const GuardedBuffer<float> x{NAN, INFINITY, -INFINITY, -0.0F};
    const auto y = run<T>(x, 0);
    EXPECT_TRUE(std::isnan(static_cast<float>(y[0])));
    EXPECT_EQ(static_cast<float>(y[1]), INFINITY);
    EXPECT_EQ(static_cast<float>(y[2]), -INFINITY);
    EXPECT_TRUE(std::signbit(static_cast<float>(y[3])));
  });
  EXPECT_EQ(static_cast<float>(run<float16>(GuardedBuffer<float>{65520}, 0)[0]), INFINITY);
}

}  // namespace
}  // namespace impasto::kernels
