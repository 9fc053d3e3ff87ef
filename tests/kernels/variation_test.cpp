// SPDX-License-Identifier: MIT
#include "kernels/variation/variation.hpp"

#include <gtest/gtest.h>

#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/random_fill.hpp"
#include "tests/support/threads.hpp"

namespace impasto::kernels::variation_test {
namespace {

using test::GuardedBuffer;
using Numbers = std::vector<double>;

constexpr std::array forms = {VariationForm::absolute, VariationForm::means, VariationForm::power,
                              VariationForm::nine_point};

template <class T>
struct Result {
  GuardedBuffer<T> loss;
  GuardedBuffer<T> grad;
};

template <class T>
Result<T> run(const GuardedBuffer<T>& held, const GuardedBuffer<T>& pixels, const MapSize& size,
              const VariationOptions& options, bool with_gradient = true) {
  Result<T> result{GuardedBuffer<T>(size.batch), held};
  T* grad = with_gradient ? result.grad.data() : nullptr;
  if constexpr (std::is_same_v<T, double>) {
    reference::variation(result.loss.data(), grad, pixels.data(), size, options);
  } else {
    cpu::variation(result.loss.data(), grad, pixels.data(), size, options);
  }
  return result;
}

template <class T>
void gives_the_worked_examples() {
  const GuardedBuffer<T> pixels{1, 2, 4,  //
                                0, 5, 9};
  const GuardedBuffer<T> held(6, T(100));
  const MapSize size{1, 2, 3, 1};

  // Downwards 1 + 3 + 5, to the right 1 + 2 + 5 + 4. The value 1 lies above its neighbour below and
  // under the one to the right: 1 − 1.
  const auto absolute =
      run<T>(held, pixels, size, {.form = VariationForm::absolute, .loss = 0.5, .gradient = 10});
  EXPECT_TRUE(test::is_equal(absolute.loss, Numbers{10.5}));
  EXPECT_TRUE(test::is_equal(absolute.grad, Numbers{100, 90, 100, 80, 110, 120}));

  // Downwards (1 + 9 + 25)/3, to the right (1 + 4 + 25 + 16)/4.
  const auto means = run<T>(held, pixels, size, {.form = VariationForm::means, .loss = 3});
  EXPECT_NEAR(means.loss[0], 35 + 34.5, 1e-5);

  // At 1 and at 2: (1 + 1)² + (9 + 4)²; at the last column and row nothing.
  const auto power =
      run<T>(held, pixels, size, {.form = VariationForm::power, .beta = 4, .loss = 0.5});
  EXPECT_NEAR(power.loss[0], 86.5, 1e-4);
  // 4·(d² + r²)·d to what lies below, the same with r to the right, minus both here.
  EXPECT_NEAR(power.grad[0], 100 - 4 * 2 * (-1 + 1), 1e-3);
  EXPECT_NEAR(power.grad[1], 100 + 4 * 2 * 1 - 4 * 13 * (3 + 2), 1e-3);
  EXPECT_NEAR(power.grad[2], 100 + 4 * 13 * 2, 1e-3);
  EXPECT_NEAR(power.grad[3], 100 - 4 * 2, 1e-3);
  EXPECT_NEAR(power.grad[4], 100 + 4 * 13 * 3, 1e-3);
  EXPECT_NEAR(power.grad[5], 100, 1e-3);

  // Downwards 1 + 9 + 25 and to the right 1 + 4 + 25 + 16, a third of a sixth each. Diagonally
  // 16 + 49 and 4 + 1; beyond the edge, twice, 46 of both rows and 1 + 25 of the outer columns.
  const auto nine = run<T>(held, pixels, size, {.form = VariationForm::nine_point});
  EXPECT_NEAR(nine.loss[0], (35 + 46) / 18.0 + (65 + 5 + 2 * (46 + 26)) / 144.0, 1e-5);
}

TEST(Variation, ReferenceGivesTheWorkedExamples) { gives_the_worked_examples<double>(); }
TEST(Variation, CpuGivesTheWorkedExamples) { gives_the_worked_examples<float>(); }

TEST(Variation, OfAConstantIsZero) {
  for (const VariationForm form : forms) {
    for (const MapSize& size : test::map_sizes) {
      SCOPED_TRACE(size);
      const GuardedBuffer<float> pixels(size.count(), 127.3F);
      const auto held = test::gaussian<float>(size.count(), 1);
      const auto [loss, grad] = run(held, pixels, size, {.form = form, .beta = 1});
      EXPECT_TRUE(test::is_equal(loss, Numbers(static_cast<std::size_t>(size.batch), 0)));
      EXPECT_TRUE(test::same_bits(grad, held));
    }
  }
}

TEST(Variation, GradientMatchesCentralDifference) {
  for (const VariationForm form : forms) {
    for (const MapSize& size : {MapSize{1, 2, 2, 1}, MapSize{2, 5, 4, 3}, MapSize{1, 7, 2, 2}}) {
      SCOPED_TRACE(size);
      const double weight = 0.3;
      const VariationOptions options{
          .form = form, .beta = 2.5, .loss = 0.5, .gradient = weight * 0.5};
      const auto pixels = test::gaussian(size.count(), 2);
      const auto loss = [&](const GuardedBuffer<double>& at) {
        const auto result = run(at, at, size, options, false);
        return weight * std::accumulate(result.loss.begin(), result.loss.end(), 0.0);
      };
      const auto grad = run(test::zeros(size.count()), pixels, size, options).grad;
      EXPECT_LT(gradient_error(loss, pixels, grad), 1e-7);
    }
  }
}

TEST(Variation, CpuMatchesTheReference) {
  for (const VariationForm form : forms) {
    for (const MapSize& size : test::map_sizes) {
      SCOPED_TRACE(size);
      const auto pixels = test::gaussian<float>(size.count(), 3, 128, 60);
      const auto held = test::gaussian<float>(size.count(), 4);
      const VariationOptions options{.form = form,
                                     .beta = 2.5,
                                     .loss = 0.01,
                                     .gradient = form == VariationForm::power ? 1e-3 : 0.3};
      const auto actual = run(held, pixels, size, options);
      const auto expected = run(widened(held), widened(pixels), size, options);
      EXPECT_TRUE(test::is_close(actual.loss, expected.loss, {1e-6, 2e-6}));
      EXPECT_TRUE(test::is_close(actual.grad, expected.grad, {1e-6, 1e-5}));
      const auto alone = run(held, pixels, size, options, false);
      EXPECT_TRUE(test::same_bits(alone.loss, actual.loss));
      EXPECT_TRUE(test::same_bits(alone.grad, held));
    }
  }
}

TEST(Variation, CpuHasTheSameBitsOnAnyNumberOfThreads) {
  const MapSize size{2, 331, 257, 3};
  const auto pixels = test::gaussian<float>(size.count(), 8);
  const auto on_threads = [&](int threads) {
    const test::ThreadCount scope(threads);
    return run(pixels, pixels, size, {.form = VariationForm::power, .beta = 2.5});
  };
  const auto one = on_threads(1);
  const auto two = on_threads(2);
  EXPECT_TRUE(test::same_bits(one.loss, two.loss));
  EXPECT_TRUE(test::same_bits(one.grad, two.grad));
}

}  // namespace
}  // namespace impasto::kernels::variation_test
