// SPDX-License-Identifier: MIT
#include "kernels/total_variation/total_variation.hpp"

#include <gtest/gtest.h>

#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/random_fill.hpp"
#include "tests/support/threads.hpp"

namespace impasto::kernels::total_variation_test {
namespace {

using test::GuardedBuffer;
using Numbers = std::vector<double>;

template <class T>
struct Result {
  GuardedBuffer<T> loss;
  GuardedBuffer<T> grad;
};

template <class T>
Result<T> run(const GuardedBuffer<T>& held, const GuardedBuffer<T>& pixels, const MapSize& size,
              const VariationScale& scale, bool with_gradient = true) {
  Result<T> result{GuardedBuffer<T>(size.batch), held};
  T* grad = with_gradient ? result.grad.data() : nullptr;
  if constexpr (std::is_same_v<T, double>) {
    reference::total_variation(result.loss.data(), grad, pixels.data(), size, scale);
  } else {
    cpu::total_variation(result.loss.data(), grad, pixels.data(), size, scale);
  }
  return result;
}

template <class T>
void gives_the_worked_example() {
  const GuardedBuffer<T> pixels{1, 2, 4,  //
                                0, 5, 9};
  // Downwards 1 + 9 + 25, to the right 1 + 4 + 25 + 16.
  // Gradient at 5: (5−2) + (5−0) + (5−9) = 4; and so on. The gradient held 100 before.
  const GuardedBuffer<T> held{100, 100, 100, 100, 100, 100};
  const auto [loss, grad] = run<T>(held, pixels, {1, 2, 3, 1}, {0.5, 10});
  EXPECT_TRUE(test::is_equal(loss, Numbers{40.5}));
  EXPECT_TRUE(test::is_equal(grad, Numbers{100, 100 - 40, 100 - 30,  //
                                           100 - 60, 100 + 40, 100 + 90}));
}

TEST(TotalVariation, ReferenceGivesTheWorkedExample) { gives_the_worked_example<double>(); }
TEST(TotalVariation, CpuGivesTheWorkedExample) { gives_the_worked_example<float>(); }

template <class T>
void of_a_constant_is_zero() {
  for (const MapSize& size : test::map_sizes) {
    SCOPED_TRACE(size);
    const GuardedBuffer<T> pixels(size.count(), T(127.3));
    const auto held = test::gaussian<T>(size.count(), 1);
    const auto [loss, grad] = run(held, pixels, size, {});
    EXPECT_TRUE(test::is_equal(loss, Numbers(static_cast<std::size_t>(size.batch), 0)));
    EXPECT_TRUE(test::same_bits(grad, held));
  }
}

TEST(TotalVariation, ReferenceOfAConstantIsZero) { of_a_constant_is_zero<double>(); }
TEST(TotalVariation, CpuOfAConstantIsZero) { of_a_constant_is_zero<float>(); }

TEST(TotalVariation, ComparesPixelsOfOneImageAndOneChannelOnly) {
  // Two images and two channels, constant each, all different.
  const GuardedBuffer<double> pixels{1, 7, 1, 7, 1, 7, 1, 7, 3, 9, 3, 9, 3, 9, 3, 9};
  const auto [loss, grad] = run(test::zeros(16), pixels, {2, 2, 2, 2}, {});
  EXPECT_TRUE(test::is_equal(loss, Numbers{0, 0}));
  EXPECT_TRUE(test::is_equal(grad, Numbers(16, 0)));
}

TEST(TotalVariation, GradientMatchesCentralDifference) {
  for (const MapSize& size : {MapSize{1, 1, 2, 1}, MapSize{2, 5, 4, 3}, MapSize{1, 7, 1, 2}}) {
    SCOPED_TRACE(size);
    const double weight = 0.3;
    const VariationScale scale{0.5, weight * 2 * 0.5};
    const auto pixels = test::gaussian(size.count(), 2);
    const auto loss = [&](const GuardedBuffer<double>& at) {
      const auto result = run(at, at, size, scale, false);
      return weight * std::accumulate(result.loss.begin(), result.loss.end(), 0.0);
    };
    const auto grad = run(test::zeros(size.count()), pixels, size, scale).grad;
    EXPECT_LT(gradient_error(loss, pixels, grad), 1e-7);
  }
}

TEST(TotalVariation, CpuMatchesTheReference) {
  for (const MapSize& size : test::map_sizes) {
    SCOPED_TRACE(size);
    const auto pixels = test::gaussian<float>(size.count(), 3, 128, 60);
    const auto held = test::gaussian<float>(size.count(), 4);
    const VariationScale scale{0.01, 0.3};
    const auto actual = run(held, pixels, size, scale);
    const auto expected = run(widened(held), widened(pixels), size, scale);
    EXPECT_TRUE(test::is_close(actual.loss, expected.loss, {2e-7, 4e-7}));
    EXPECT_TRUE(test::is_close(actual.grad, expected.grad, {2e-7, 1e-6}));
  }
}

TEST(TotalVariation, CpuIsExactOnIntegers) {
  for (const MapSize& size : test::map_sizes) {
    SCOPED_TRACE(size);
    const auto pixels = test::integers<float>(size.count(), 5);
    const auto held = test::integers<float>(size.count(), 6);
    const VariationScale scale{0.5, 2};
    const auto actual = run(held, pixels, size, scale);
    const auto expected = run(widened(held), widened(pixels), size, scale);
    EXPECT_TRUE(test::is_equal(actual.loss, expected.loss));
    EXPECT_TRUE(test::is_equal(actual.grad, expected.grad));
  }
}

TEST(TotalVariation, CpuLossIsTheSameWithoutAGradient) {
  for (const MapSize& size : test::map_sizes) {
    SCOPED_TRACE(size);
    const auto pixels = test::gaussian<float>(size.count(), 7);
    const auto with = run(pixels, pixels, size, {});
    const auto without = run(pixels, pixels, size, {}, false);
    EXPECT_TRUE(test::same_bits(with.loss, without.loss));
    EXPECT_TRUE(test::same_bits(without.grad, pixels));
  }
}

TEST(TotalVariation, CpuHasTheSameBitsOnAnyNumberOfThreads) {
  const MapSize size{2, 331, 257, 3};
  const auto pixels = test::gaussian<float>(size.count(), 8);
  const auto on_threads = [&](int threads) {
    const test::ThreadCount scope(threads);
    return run(pixels, pixels, size, {0.01, 0.3});
  };
  const auto one = on_threads(1);
  const auto two = on_threads(2);
  EXPECT_TRUE(test::same_bits(one.loss, two.loss));
  EXPECT_TRUE(test::same_bits(one.grad, two.grad));
}

}  // namespace
}  // namespace impasto::kernels::total_variation_test
