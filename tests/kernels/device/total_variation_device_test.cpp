// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "kernels/total_variation/total_variation.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::total_variation_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

template <class T>
struct Result {
  GuardedBuffer<T> loss;
  GuardedBuffer<T> grad;
};

Result<double> expected(const GuardedBuffer<float>& held, const GuardedBuffer<float>& pixels,
                        const MapSize& size, const VariationScale& scale) {
  Result<double> result{GuardedBuffer<double>(size.batch), widened(held)};
  reference::total_variation(result.loss.data(), result.grad.data(), widened(pixels).data(), size,
                             scale);
  return result;
}

/// `held` is what the gradient holds before.
Result<float> run(
    const GuardedBuffer<float>& held, const GuardedBuffer<float>& pixels, const MapSize& size,
    const VariationScale& scale, bool with_gradient = true,
    IMPASTO_DEVICE::VariationLauncher<float> launch = &IMPASTO_DEVICE::total_variation) {
  GuardedBuffer<float> grad(size.count());
  const auto loss = test::under_every_schedule([&] {
    DeviceArray<float> x(pixels);
    DeviceArray<float> to(held);
    DeviceArray<float> sums(size.batch);
    DeviceArray<double> workspace(total_variation_workspace(size));
    test::BlocksDone blocks_done;
    launch(sums.data(), with_gradient ? to.data() : nullptr, x.data(), size, scale,
           workspace.data(), blocks_done.data(), nullptr);
    grad = to.values();
    return sums.values();
  });
  return {loss, grad};
}

// Observed: at most 6.1e-8 in the loss, 6.9e-8 and 6.1e-7 in the gradient.
constexpr test::ErrorLimit loss_limit{2.5e-7, 2.5e-7};
constexpr test::ErrorLimit gradient_limit{3e-7, 2.5e-6};

TEST(TotalVariationDevice, MatchesTheReference) {
  const VariationScale scale{0.01, 0.3};
  for (const MapSize& size : test::map_sizes) {
    SCOPED_TRACE(size);
    const auto pixels = test::gaussian<float>(size.count(), 1, 128, 60);
    const auto held = test::gaussian<float>(size.count(), 2);
    const auto actual = run(held, pixels, size, scale);
    const auto wanted = expected(held, pixels, size, scale);
    EXPECT_TRUE(test::is_close(actual.loss, wanted.loss, loss_limit));
    EXPECT_TRUE(test::is_close(actual.grad, wanted.grad, gradient_limit));
  }
}

TEST(TotalVariationDevice, IsExactOnIntegers) {
  const VariationScale scale{0.5, 2};
  for (const MapSize& size : test::map_sizes) {
    SCOPED_TRACE(size);
    const auto pixels = test::integers<float>(size.count(), 3);
    const auto held = test::integers<float>(size.count(), 4);
    const auto actual = run(held, pixels, size, scale);
    const auto wanted = expected(held, pixels, size, scale);
    EXPECT_TRUE(test::is_equal(actual.loss, wanted.loss));
    EXPECT_TRUE(test::is_equal(actual.grad, wanted.grad));
  }
}

TEST(TotalVariationDevice, LossIsTheSameWithoutAGradient) {
  for (const MapSize& size : {MapSize{1, 1, 1, 1}, MapSize{2, 17, 19, 3}, MapSize{1, 64, 48, 3}}) {
    SCOPED_TRACE(size);
    const auto pixels = test::gaussian<float>(size.count(), 5);
    const auto with = run(pixels, pixels, size, {});
    const auto without = run(pixels, pixels, size, {}, false);
    EXPECT_TRUE(test::same_bits(with.loss, without.loss));
    EXPECT_TRUE(test::same_bits(without.grad, pixels));
  }
}

class TotalVariationLadder : public testing::TestWithParam<IMPASTO_DEVICE::VariationRung> {};
INSTANTIATE_TEST_SUITE_P(Every, TotalVariationLadder,
                         testing::ValuesIn(IMPASTO_DEVICE::total_variation_ladder()),
                         test::rung_name<IMPASTO_DEVICE::VariationRung>);

TEST_P(TotalVariationLadder, MatchesTheReference) {
  const VariationScale scale{0.01, 0.3};
  for (const MapSize& size : {MapSize{1, 1, 1, 1}, MapSize{2, 17, 19, 3}, MapSize{1, 9, 50, 3}}) {
    SCOPED_TRACE(size);
    const auto pixels = test::gaussian<float>(size.count(), 1, 128, 60);
    const auto held = test::gaussian<float>(size.count(), 2);
    const auto actual = run(held, pixels, size, scale, true, GetParam().launch.f32);
    const auto wanted = expected(held, pixels, size, scale);
    EXPECT_TRUE(test::is_close(actual.loss, wanted.loss, loss_limit));
    EXPECT_TRUE(test::is_close(actual.grad, wanted.grad, gradient_limit));
  }
}

/// Some blocks have two strips of rows. One order of threads will do: what the machine finds in one it
/// finds in all.
TEST_P(TotalVariationLadder, StridesOverRows) {
  const VariationScale scale{0.01, 0.3};
  const MapSize size{1, 8 * 4096 + 11, 1, 1};
  const auto pixels = test::gaussian<float>(size.count(), 1, 128, 60);
  DeviceArray<float> x(pixels);
  DeviceArray<float> grad(pixels);
  DeviceArray<float> loss(1);
  DeviceArray<double> workspace(total_variation_workspace(size));
  test::BlocksDone blocks_done;
  GetParam().launch.f32(loss.data(), grad.data(), x.data(), size, scale, workspace.data(),
                        blocks_done.data(), nullptr);
  const auto wanted = expected(pixels, pixels, size, scale);
  EXPECT_TRUE(test::is_close(loss.values(), wanted.loss, loss_limit));
  EXPECT_TRUE(test::is_close(grad.values(), wanted.grad, gradient_limit));
}

}  // namespace
}  // namespace impasto::kernels::total_variation_device_test
