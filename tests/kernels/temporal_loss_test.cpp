// SPDX-License-Identifier: MIT
#include "kernels/temporal_loss/temporal_loss.hpp"

#include <gtest/gtest.h>

#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/random_fill.hpp"
#include "tests/support/threads.hpp"

namespace impasto::kernels::temporal_loss_test {
namespace {

using test::GuardedBuffer;
using Numbers = std::vector<double>;

/// What the pixels are held to.
template <class T>
struct Held {
  GuardedBuffer<T> target;
  GuardedBuffer<T> mask;
};

template <class T>
struct Result {
  GuardedBuffer<T> loss;
  GuardedBuffer<T> grad;
};

template <class T>
Result<T> run(const GuardedBuffer<T>& before, const GuardedBuffer<T>& pixels, const Held<T>& held,
              const MapSize& size, const TemporalLossScale& scale, bool with_gradient = true) {
  Result<T> result{GuardedBuffer<T>(size.batch), before};
  T* grad = with_gradient ? result.grad.data() : nullptr;
  if constexpr (std::is_same_v<T, double>) {
    reference::temporal_loss(result.loss.data(), grad, pixels.data(), held.target.data(),
                             held.mask.data(), size, scale);
  } else {
    cpu::temporal_loss(result.loss.data(), grad, pixels.data(), held.target.data(),
                       held.mask.data(), size, scale);
  }
  return result;
}

template <class T>
Held<T> some_held(const MapSize& size, std::uint32_t seed) {
  auto mask = test::gaussian<T>(size.batch * size.pixels(), seed);
  for (auto& value : mask) value = value > T(0) ? T(1) : T(0);
  return {test::gaussian<T>(size.count(), seed + 1, 128, 60), mask};
}

template <class T>
void gives_the_worked_example() {
  // Two pictures of a pixel and of another, with two channels.
  const MapSize size{2, 1, 2, 2};
  const GuardedBuffer<T> pixels{1, 2, 3, 4, 5, 6, 7, 8};
  const Held<T> held{{0, 4, 3, 6, 5, 5, 0, 0}, {1, 0.5, 1, 0}};
  const GuardedBuffer<T> before(8, T(100));
  const auto [loss, grad] = run<T>(before, pixels, held, size, {.loss = 2, .gradient = 10});
  // 1 + 4 and half of 4; then 0 + 1, and what the mask hides.
  EXPECT_TRUE(test::is_equal(loss, Numbers{14, 2}));
  EXPECT_TRUE(test::is_equal(grad, Numbers{110, 80, 100, 90, 100, 110, 100, 100}));
}

TEST(TemporalLoss, ReferenceGivesTheWorkedExample) { gives_the_worked_example<double>(); }
TEST(TemporalLoss, CpuGivesTheWorkedExample) { gives_the_worked_example<float>(); }

TEST(TemporalLoss, GradientMatchesCentralDifference) {
  for (const MapSize& size : {MapSize{1, 2, 2, 1}, MapSize{2, 5, 4, 3}}) {
    SCOPED_TRACE(size);
    const double weight = 0.3;
    const TemporalLossScale scale{.loss = 0.5, .gradient = weight * 2 * 0.5};
    const Held<double> held{test::gaussian(size.count(), 3),
                            test::gaussian(size.batch * size.pixels(), 4, 0.5, 0.1)};
    const auto pixels = test::gaussian(size.count(), 2);
    const auto loss = [&](const GuardedBuffer<double>& at) {
      const auto result = run(at, at, held, size, scale, false);
      return weight * std::accumulate(result.loss.begin(), result.loss.end(), 0.0);
    };
    const auto grad = run(test::zeros(size.count()), pixels, held, size, scale).grad;
    EXPECT_LT(gradient_error(loss, pixels, grad), 1e-7);
  }
}

TEST(TemporalLoss, CpuMatchesTheReference) {
  for (const MapSize& size : test::map_sizes) {
    SCOPED_TRACE(size);
    const auto pixels = test::gaussian<float>(size.count(), 5, 128, 60);
    const Held<float> held = some_held<float>(size, 6);
    const auto before = test::gaussian<float>(size.count(), 8);
    const TemporalLossScale scale{.loss = 0.01, .gradient = 0.3};
    const auto actual = run(before, pixels, held, size, scale);
    const auto expected = run(widened(before), widened(pixels),
                              {widened(held.target), widened(held.mask)}, size, scale);
    EXPECT_TRUE(test::is_close(actual.loss, expected.loss, {1e-6, 2e-6}));
    EXPECT_TRUE(test::is_close(actual.grad, expected.grad, {1e-6, 1e-5}));
    const auto alone = run(before, pixels, held, size, scale, false);
    EXPECT_TRUE(test::same_bits(alone.loss, actual.loss));
    EXPECT_TRUE(test::same_bits(alone.grad, before));
  }
}

TEST(TemporalLoss, CpuHasTheSameBitsOnAnyNumberOfThreads) {
  const MapSize size{2, 331, 257, 3};
  const auto pixels = test::gaussian<float>(size.count(), 9);
  const Held<float> held = some_held<float>(size, 10);
  const auto on_threads = [&](int threads) {
    const test::ThreadCount scope(threads);
    return run(pixels, pixels, held, size, {});
  };
  const auto one = on_threads(1);
  const auto two = on_threads(2);
  EXPECT_TRUE(test::same_bits(one.loss, two.loss));
  EXPECT_TRUE(test::same_bits(one.grad, two.grad));
}

}  // namespace
}  // namespace impasto::kernels::temporal_loss_test
