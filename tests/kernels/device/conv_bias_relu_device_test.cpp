// SPDX-License-Identifier: MIT
// What is left of a convolution behind a library's sums; and both together, with sums in double in
// the library's place.
#include <cmath>
#include <gtest/gtest.h>

#include "kernels/conv/conv.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::conv_bias_relu_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

/// Channels that fill no pack, more of them than a block has threads, and more pixels than a thread
/// takes at once.
constexpr std::array sizes = {MapSize{1, 1, 1, 1},   MapSize{2, 3, 5, 7},    MapSize{1, 5, 7, 64},
                              MapSize{1, 1, 2, 257}, MapSize{2, 13, 17, 24}, MapSize{1, 1, 3, 512}};

template <class T>
GuardedBuffer<T> found(const GuardedBuffer<T>& sums, const GuardedBuffer<float>& bias,
                       const MapSize& size, bool relu, std::int64_t offset) {
  return test::under_every_schedule([&] {
    DeviceArray<T> y(sums, offset);
    DeviceArray<float> added(bias, offset);
    IMPASTO_DEVICE::bias_relu(y.data(), added.data(), size, relu, nullptr);
    return y.values();
  });
}

TEST(ConvBiasReluDevice, AddsTheChannelsBiasInFloatAndRectifies) {
  test::for_each_storage_type([]<class T>() {
    for (const MapSize& size : sizes) {
      for (const bool relu : {false, true}) {
        for (const std::int64_t offset : {0, 1}) {
          SCOPED_TRACE(testing::Message() << size << ", " << sizeof(T) << " bytes, relu " << relu
                                          << ", offset " << offset);
          const auto sums = test::gaussian<T>(size.count(), 1);
          const auto bias = test::gaussian<float>(size.channels, 2);
          GuardedBuffer<T> expected(size.count());
          for (std::size_t i = 0; i < expected.size(); ++i) {
            const float sum = static_cast<float>(sums[i]) + bias[i % bias.size()];
            expected[i] = static_cast<T>(relu && sum < 0 ? 0.0F : sum);
          }
          EXPECT_TRUE(test::same_bits(found(sums, bias, size, relu, offset), expected));
        }
      }
    }
  });
}

// A NaN says that something went wrong before; the convolutions with a ReLU of their own keep it.
TEST(ConvBiasReluDevice, KeepsWhatIsNoNumber) {
  GuardedBuffer<float> sums(8, 1.0F);
  sums[3] = NAN;
  const auto y = found<float>(sums, GuardedBuffer<float>(8, 1.0F), {1, 1, 1, 8}, true, 0);
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_EQ(std::isnan(y[i]), i == 3) << i;
}

/// Twice what was observed, 2.2e-3 and 3.3e-2 in bfloat16: the sums were rounded to T before the bias.
template <class T>
constexpr test::ErrorLimit rounded_twice =
    std::is_same_v<T, bfloat16> ? test::ErrorLimit{4.4e-3, 6.6e-2} : test::elementwise<T>;

TEST(ConvBiasReluDevice, MatchesTheReferenceBehindSums) {
  test::for_each_storage_type([]<class T>() {
    const ConvSize size{2, 5, 7, 24, 40};
    const MapSize map{size.batch, size.height, size.width, size.out_channels};
    const auto x = widened(test::features<T>(map.batch * map.pixels() * size.in_channels, 1));
    const auto weight =
        widened(test::gaussian<T>(9 * size.in_channels * size.out_channels, 2, 0, 0.1));
    const auto bias = test::gaussian<float>(size.out_channels, 3);
    GuardedBuffer<double> sums(map.count());
    reference::conv_forward(sums.data(), x.data(), weight.data(),
                            test::zeros<double>(size.out_channels).data(), size, false);
    GuardedBuffer<double> expected(map.count());
    reference::conv_forward(expected.data(), x.data(), weight.data(), widened(bias).data(), size,
                            true);
    EXPECT_TRUE(test::is_close(found(test::rounded<T>(sums), bias, map, true, 0),
                               test::rounded<T>(expected), rounded_twice<T>));
  });
}

}  // namespace
}  // namespace impasto::kernels::conv_bias_relu_device_test
