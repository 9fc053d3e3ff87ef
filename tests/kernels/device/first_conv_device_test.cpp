// SPDX-License-Identifier: MIT
#include <array>
#include <gtest/gtest.h>

#include "kernels/first_conv/first_conv.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::first_conv_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

constexpr std::array<float, 3> mean = {123.68F, 116.779F, 103.939F};

/// One pixel, one row, one column; sides that end inside a strip and inside a tile, several tiles;
/// channels that fill a warp, that do not, and that take more than one launch.
constexpr std::array sizes = {MapSize{1, 1, 1, 1},    MapSize{2, 1, 9, 3},  MapSize{1, 17, 1, 64},
                              MapSize{2, 3, 5, 7},    MapSize{1, 4, 8, 65}, MapSize{1, 2, 35, 130},
                              MapSize{1, 19, 37, 64}, MapSize{3, 16, 7, 2}};

struct Parameters {
  GuardedBuffer<float> weight;
  GuardedBuffer<float> bias;
};

Parameters random_parameters(const MapSize& size) {
  return {test::gaussian<float>(27 * size.channels, 1, 0, 0.2),
          test::gaussian<float>(size.channels, 2)};
}

std::int64_t pixel_values(const MapSize& size) { return 3 * size.batch * size.pixels(); }

/// `offset` 0 lets the kernel use pairs of 64 channels, 1 does not.
template <class T>
GuardedBuffer<T> forward(
    const GuardedBuffer<float>& pixels, const Parameters& parameters,
    const std::array<float, 3>& mean_pixel, const MapSize& size, bool relu, std::int64_t offset,
    IMPASTO_DEVICE::FirstConvForwardLauncher<T> launch = &IMPASTO_DEVICE::first_conv_forward<T>) {
  return test::under_every_schedule([&] {
    DeviceArray<float> x(pixels, offset);
    DeviceArray<float> weight(parameters.weight, offset);
    DeviceArray<float> bias(parameters.bias, offset);
    DeviceArray<T> y(size.count(), offset);
    launch(y.data(), x.data(), weight.data(), bias.data(), mean_pixel, size, relu, nullptr);
    return y.values();
  });
}

GuardedBuffer<double> expected_forward(const GuardedBuffer<float>& pixels,
                                       const Parameters& parameters,
                                       const std::array<float, 3>& mean_pixel, const MapSize& size,
                                       bool relu) {
  GuardedBuffer<double> y(size.count());
  reference::first_conv_forward(y.data(), widened(pixels).data(), widened(parameters.weight).data(),
                                widened(parameters.bias).data(),
                                {mean_pixel[0], mean_pixel[1], mean_pixel[2]}, size, relu);
  return y;
}

template <class T>
GuardedBuffer<float> backward(
    const GuardedBuffer<T>& grad_y, const Parameters& parameters, const MapSize& size,
    std::int64_t offset,
    IMPASTO_DEVICE::FirstConvBackwardLauncher<T> launch = &IMPASTO_DEVICE::first_conv_backward<T>) {
  return test::under_every_schedule([&] {
    DeviceArray<T> from(grad_y, offset);
    DeviceArray<float> weight(parameters.weight, offset);
    DeviceArray<float> grad_pixels(pixel_values(size), offset);
    launch(grad_pixels.data(), from.data(), weight.data(), size, nullptr);
    return grad_pixels.values();
  });
}

template <class T>
GuardedBuffer<double> expected_backward(const GuardedBuffer<T>& grad_y,
                                        const Parameters& parameters, const MapSize& size) {
  GuardedBuffer<double> grad_pixels(pixel_values(size));
  reference::first_conv_backward(grad_pixels.data(), widened(grad_y).data(),
                                 widened(parameters.weight).data(), size);
  return grad_pixels;
}

/// Calls check(size, offset).
template <class Check>
void for_each_case(Check check) {
  for (const MapSize& size : sizes) {
    for (const std::int64_t offset : {0, 1}) {
      SCOPED_TRACE(testing::Message() << size << ", offset " << offset);
      check(size, offset);
    }
  }
}

// Observed: at most 1.2e-7 and 1.1e-6 in float, 1.4e-5 and 1.2e-3 in 16 bits, which differ only
// where a sum falls on the other side of a tie; the gradient, float from every type, 1.1e-7 and
// 5.0e-7.
template <class T>
constexpr test::ErrorLimit forward_limit = sizeof(T) == 4 ? test::ErrorLimit{5e-7, 4e-6}
                                                          : test::elementwise<T>;
constexpr test::ErrorLimit backward_limit{4e-7, 2e-6};

TEST(FirstConvDevice, ForwardMatchesTheReference) {
  test::for_each_storage_type([]<class T>() {
    for_each_case([](const MapSize& size, std::int64_t offset) {
      const auto pixels = test::gaussian<float>(pixel_values(size), 3, 128, 60);
      const Parameters parameters = random_parameters(size);
      const bool relu = offset == 0;
      const auto expected = expected_forward(pixels, parameters, mean, size, relu);
      EXPECT_TRUE(test::is_close(forward<T>(pixels, parameters, mean, size, relu, offset),
                                 test::rounded<T>(expected), forward_limit<T>));
    });
  });
}

TEST(FirstConvDevice, BackwardMatchesTheReference) {
  test::for_each_storage_type([]<class T>() {
    for_each_case([](const MapSize& size, std::int64_t offset) {
      const auto grad_y = test::gaussian<T>(size.count(), 4);
      const Parameters parameters = random_parameters(size);
      EXPECT_TRUE(test::is_close(backward(grad_y, parameters, size, offset),
                                 expected_backward(grad_y, parameters, size), backward_limit));
    });
  });
}

// Few and small enough for every sum to be exact in every type.
TEST(FirstConvDevice, IsExactOnIntegers) {
  const MapSize size{2, 5, 10, 6};
  const std::array<float, 3> whole_mean = {1, -2, 3};
  const Parameters parameters{test::integers<float>(27 * size.channels, 5, -1, 1),
                              test::integers<float>(size.channels, 6)};
  test::for_each_storage_type([&]<class T>() {
    const auto pixels = test::integers<float>(pixel_values(size), 7);
    EXPECT_TRUE(test::is_equal(forward<T>(pixels, parameters, whole_mean, size, true, 0),
                               expected_forward(pixels, parameters, whole_mean, size, true)));
    const auto grad_y = test::integers<T>(size.count(), 8);
    EXPECT_TRUE(test::is_equal(backward(grad_y, parameters, size, 0),
                               expected_backward(grad_y, parameters, size)));
  });
}

constexpr std::array ladder_sizes = {MapSize{2, 3, 5, 7}, MapSize{1, 5, 9, 64}};

class FirstConvForwardLadder : public testing::TestWithParam<IMPASTO_DEVICE::FirstConvForwardRung> {
};
INSTANTIATE_TEST_SUITE_P(Every, FirstConvForwardLadder,
                         testing::ValuesIn(IMPASTO_DEVICE::first_conv_forward_ladder()),
                         test::rung_name<IMPASTO_DEVICE::FirstConvForwardRung>);

TEST_P(FirstConvForwardLadder, MatchesTheReference) {
  test::for_each_storage_type_of(GetParam(), [&]<class T>() {
    for (const MapSize& size : ladder_sizes) {
      SCOPED_TRACE(size);
      const auto pixels = test::gaussian<float>(pixel_values(size), 3, 128, 60);
      const Parameters parameters = random_parameters(size);
      const auto expected = expected_forward(pixels, parameters, mean, size, true);
      EXPECT_TRUE(test::is_close(
          forward<T>(pixels, parameters, mean, size, true, 0, GetParam().launch.template get<T>()),
          test::rounded<T>(expected), forward_limit<T>));
    }
  });
}

/// The naive rung has one running sum of 9·C products. Observed: 4.2e-7 and 1.8e-6.
constexpr test::ErrorLimit running_sum_limit{1.7e-6, 7e-6};

class FirstConvBackwardLadder
    : public testing::TestWithParam<IMPASTO_DEVICE::FirstConvBackwardRung> {};
INSTANTIATE_TEST_SUITE_P(Every, FirstConvBackwardLadder,
                         testing::ValuesIn(IMPASTO_DEVICE::first_conv_backward_ladder()),
                         test::rung_name<IMPASTO_DEVICE::FirstConvBackwardRung>);

TEST_P(FirstConvBackwardLadder, MatchesTheReference) {
  test::for_each_storage_type_of(GetParam(), [&]<class T>() {
    for (const MapSize& size : ladder_sizes) {
      SCOPED_TRACE(size);
      const auto grad_y = test::gaussian<T>(size.count(), 4);
      const Parameters parameters = random_parameters(size);
      EXPECT_TRUE(
          test::is_close(backward(grad_y, parameters, size, 0, GetParam().launch.template get<T>()),
                         expected_backward(grad_y, parameters, size), running_sum_limit));
    }
  });
}

}  // namespace
}  // namespace impasto::kernels::first_conv_device_test
