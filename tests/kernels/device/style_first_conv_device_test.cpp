// SPDX-License-Identifier: MIT
#include <array>
#include <gtest/gtest.h>

#include "kernels/style_first_conv/style_first_conv.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::style_first_conv_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

constexpr std::int64_t C = 64;

/// A pixel, several images, a tile and a bit more each way.
constexpr std::array sizes = {MapSize{1, 1, 1, C}, MapSize{2, 3, 5, C}, MapSize{1, 17, 35, C}};

template <class T>
struct Inputs {
  GuardedBuffer<T> features;
  GuardedBuffer<T> held;  ///< by the gradient, before
  GuardedBuffer<float> matrix;
  GuardedBuffer<float> weight;
};

GuardedBuffer<float> symmetric(GuardedBuffer<float> matrix) {
  const auto side = static_cast<std::size_t>(C);
  for (std::size_t first = 0; first < matrix.size(); first += side * side) {
    for (std::size_t i = 0; i < side; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        matrix[first + i * side + j] = matrix[first + j * side + i];
      }
    }
  }
  return matrix;
}

template <class M = float, class T>
GuardedBuffer<float> run(const Inputs<T>& inputs, const MapSize& size,
                         const GradientEpilogue& epilogue) {
  return test::under_every_schedule([&] {
    DeviceArray<T> features(inputs.features);
    DeviceArray<T> unwritten(size.count());
    DeviceArray<T> written(inputs.held);
    DeviceArray<M> matrix(test::rounded<M>(widened(inputs.matrix)));
    DeviceArray<float> weight(inputs.weight);
    DeviceArray<float> grad_pixels(3 * size.batch * size.pixels());
    const T* grad = epilogue.accumulate ? written.data() : unwritten.data();
    EXPECT_TRUE(IMPASTO_DEVICE::style_first_conv_fits<T>(grad, features.data(), size));
    IMPASTO_DEVICE::style_first_conv_backward<T>(grad_pixels.data(), grad, features.data(),
                                                 matrix.data(), weight.data(), size, epilogue,
                                                 nullptr);
    return grad_pixels.values();
  });
}

template <class T>
GuardedBuffer<double> expected(const Inputs<T>& inputs, const MapSize& size,
                               const GradientEpilogue& epilogue) {
  GuardedBuffer<double> grad_pixels(3 * size.batch * size.pixels());
  GuardedBuffer<double> grad = widened(inputs.held);
  reference::style_first_conv_backward(
      grad_pixels.data(), grad.data(), widened(inputs.features).data(),
      widened(inputs.matrix).data(), widened(inputs.weight).data(), size, epilogue);
  return grad_pixels;
}

template <class Check>
void for_each_type(Check check) {
  check.template operator()<bfloat16>();
  check.template operator()<float16>();
}

/// About four times what was observed: M, g and the weights are rounded.
template <class T>
constexpr test::ErrorLimit limit =
    std::is_same_v<T, bfloat16> ? test::ErrorLimit{1.2e-2, 5e-2} : test::ErrorLimit{1.5e-3, 7e-3};

TEST(StyleFirstConvDevice, MatchesTheReference) {
  for_each_type([]<class T>() {
    for (const MapSize& size : sizes) {
      const Inputs<T> inputs{test::features<T>(size.count(), 1), test::gaussian<T>(size.count(), 2),
                             symmetric(test::gaussian<float>(size.batch * C * C, 3, 0, 0.1)),
                             test::gaussian<float>(27 * C, 4, 0, 0.2)};
      for (const GradientEpilogue& epilogue : test::epilogues) {
        if (size.batch == 1 && !(epilogue.accumulate && epilogue.relu_mask)) continue;
        SCOPED_TRACE(testing::Message() << size << ", " << epilogue);
        EXPECT_TRUE(test::is_close(run(inputs, size, epilogue), expected(inputs, size, epilogue),
                                   limit<T>));
      }
    }
  });
}

// Sums of at most 65 and 9·64·65, which bfloat16 and float hold. Coefficients as small as those of a
// real picture are scaled before they are rounded.
TEST(StyleFirstConvDevice, IsExactOnIntegersAndOnTheirSmallMultiples) {
  const MapSize size{1, 17, 35, C};
  for_each_type([&]<class T>() {
    Inputs<T> inputs{
        test::integers<T>(size.count(), 5, 0, 1), test::integers<T>(size.count(), 6, -1, 1),
        symmetric(test::integers<float>(C * C, 7, -1, 1)), test::integers<float>(27 * C, 8, -1, 1)};
    EXPECT_TRUE(
        test::is_equal(run(inputs, size, {true, true}), expected(inputs, size, {true, true})));
    if (std::is_same_v<T, float16>) return;
    for (float& value : inputs.matrix) value *= 0x1p-40F;
    EXPECT_TRUE(
        test::is_equal(run(inputs, size, {false, true}), expected(inputs, size, {false, true})));
  });
}

TEST(StyleFirstConvDevice, TakesTheMatrixInBfloat16) {
  const MapSize size{2, 3, 5, C};
  Inputs<bfloat16> inputs{
      test::features<bfloat16>(size.count(), 1), test::gaussian<bfloat16>(size.count(), 2),
      symmetric(test::gaussian<float>(size.batch * C * C, 3)), test::gaussian<float>(27 * C, 4)};
  for (float& value : inputs.matrix) value = static_cast<float>(bfloat16(value));
  EXPECT_TRUE(test::is_equal(run<bfloat16>(inputs, size, {true, true}),
                             widened(run(inputs, size, {true, true}))));
}

TEST(StyleFirstConvDevice, FitsMapsOf64ChannelsInPacks) {
  alignas(16) std::array<bfloat16, 16> map{};
  const auto fits = [&](std::int64_t channels, std::size_t offset) {
    return IMPASTO_DEVICE::style_first_conv_fits<bfloat16>(map.data() + offset, map.data(),
                                                           {1, 2, 2, channels});
  };
  EXPECT_TRUE(fits(64, 0));
  EXPECT_FALSE(fits(64, 1));
  EXPECT_FALSE(fits(72, 0));
}

}  // namespace
}  // namespace impasto::kernels::style_first_conv_device_test
