// SPDX-License-Identifier: MIT
#include <array>
#include <gtest/gtest.h>

#include "kernels/first_conv/first_conv.hpp"
#include "kernels/first_conv_gram_loss/first_conv_gram_loss.hpp"
#include "kernels/gram_loss/gram_loss.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::first_conv_gram_loss_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

constexpr std::int64_t C = 64;
constexpr std::array<float, 3> mean = {0.5F, -0.25F, 0.125F};

/// A pixel, several images, a tile and a bit more each way.
constexpr std::array sizes = {MapSize{1, 1, 1, C}, MapSize{2, 3, 5, C}, MapSize{1, 17, 35, C}};

struct Inputs {
  GuardedBuffer<float> pixels;
  GuardedBuffer<float> weight;
  GuardedBuffer<float> bias;
  GuardedBuffer<float> target;

  explicit Inputs(const MapSize& size)
      : pixels(test::gaussian<float>(3 * size.batch * size.pixels(), 1)),
        weight(test::gaussian<float>(27 * C, 2, 0, 0.2)),
        bias(test::gaussian<float>(C, 3)),
        target(test::gaussian<float>(C * C, 4)) {
    for (std::size_t i = 0; i < C; ++i) {
      for (std::size_t j = 0; j < i; ++j) target[i * C + j] = target[j * C + i];
    }
  }
};

constexpr StyleLossScale scale_of(const MapSize& size) {
  return {1.0 / static_cast<double>(size.pixels()), 0.5, 3};
}

/// The loss, then M, then y.
template <class M, class T>
GuardedBuffer<double> run(const Inputs& inputs, const MapSize& size) {
  const std::int64_t matrix_count = size.batch * C * C;
  return test::under_every_schedule([&] {
    DeviceArray<float> pixels(inputs.pixels);
    DeviceArray<float> weight(inputs.weight);
    DeviceArray<float> bias(inputs.bias);
    DeviceArray<float> target(inputs.target);
    DeviceArray<T> y(size.count());
    DeviceArray<float> loss(size.batch);
    DeviceArray<M> matrix(matrix_count);
    DeviceArray<float> workspace(IMPASTO_DEVICE::first_conv_gram_loss_workspace(size));
    test::BlocksDone blocks_done;
    EXPECT_TRUE(IMPASTO_DEVICE::first_conv_gram_loss_fits<T>(y.data(), size));
    IMPASTO_DEVICE::first_conv_gram_loss<T>(
        y.data(), loss.data(), matrix.data(), pixels.data(), weight.data(), bias.data(), mean,
        target.data(), size, scale_of(size), workspace.data(), blocks_done.data(), nullptr);
    GuardedBuffer<double> all(size.batch + matrix_count + size.count());
    const auto losses = widened(loss.values());
    const auto values = widened(matrix.values());
    const auto map = widened(y.values());
    std::copy(map.begin(), map.end(),
              std::copy(values.begin(), values.end(),
                        std::copy(losses.begin(), losses.end(), all.begin())));
    return all;
  });
}

/// The same of the map that first_conv_forward gives: G is that of rounded values.
template <class T>
GuardedBuffer<double> expected(const Inputs& inputs, const MapSize& size) {
  DeviceArray<float> pixels(inputs.pixels);
  DeviceArray<float> weight(inputs.weight);
  DeviceArray<float> bias(inputs.bias);
  DeviceArray<T> y(size.count());
  IMPASTO_DEVICE::first_conv_forward<T>(y.data(), pixels.data(), weight.data(), bias.data(), mean,
                                        size, true, nullptr);
  const auto map = widened(y.values());
  GuardedBuffer<double> all(size.batch + size.batch * C * C + size.count());
  reference::gram_loss(all.data(), all.data() + size.batch, map.data(),
                       widened(inputs.target).data(), size, scale_of(size));
  std::copy(map.begin(), map.end(), all.end() - size.count());
  return all;
}

template <class Check>
void for_each_type(Check check) {
  check.template operator()<bfloat16>();
  check.template operator()<float16>();
}

TEST(FirstConvGramLossDevice, MatchesTheTwoOperations) {
  for_each_type([]<class T>() {
    for (const MapSize& size : sizes) {
      SCOPED_TRACE(testing::Message() << size);
      const Inputs inputs(size);
      EXPECT_TRUE(
          test::is_close(run<float, T>(inputs, size), expected<T>(inputs, size), {6e-7, 7e-6}));
    }
  });
}

TEST(FirstConvGramLossDevice, RoundsTheMatrixToBfloat16) {
  const MapSize size{2, 3, 5, C};
  const Inputs inputs(size);
  auto wide = run<float, bfloat16>(inputs, size);
  for (std::size_t i = 2; i < 2 + 2 * C * C; ++i) {
    wide[i] = static_cast<double>(static_cast<float>(bfloat16(static_cast<float>(wide[i]))));
  }
  EXPECT_TRUE(test::is_equal(run<bfloat16, bfloat16>(inputs, size), wide));
}

/// Several splits, and fewer blocks than those.
TEST(FirstConvGramLossDevice, SumsSeveralSplitsInABlock) {
  const MapSize size{1, 17, 70, C};
  const Inputs inputs(size);
  test::device::choose_blocks(2);
  const auto actual = run<float, bfloat16>(inputs, size);
  test::device::choose_blocks(0);
  EXPECT_TRUE(test::is_equal(actual, run<float, bfloat16>(inputs, size)));
}

TEST(FirstConvGramLossDevice, FitsMapsOf64Channels) {
  alignas(16) std::array<bfloat16, 16> map{};
  const auto fits = [&](std::int64_t channels, std::size_t offset) {
    return IMPASTO_DEVICE::first_conv_gram_loss_fits<bfloat16>(map.data() + offset,
                                                               {1, 2, 2, channels});
  };
  EXPECT_TRUE(fits(64, 0));
  EXPECT_FALSE(fits(64, 1));
  EXPECT_FALSE(fits(72, 0));
}

}  // namespace
}  // namespace impasto::kernels::first_conv_gram_loss_device_test
