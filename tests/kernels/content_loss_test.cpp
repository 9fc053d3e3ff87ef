// SPDX-License-Identifier: MIT
#include "kernels/content_loss/content_loss.hpp"

#include <gtest/gtest.h>

#include "kernels/common/bfloat16.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/random_fill.hpp"
#include "tests/support/threads.hpp"

namespace impasto::kernels::content_loss_test {
namespace {

using test::GuardedBuffer;
using test::numbers;
using Numbers = std::vector<double>;

template <class T>
using LossType = std::conditional_t<std::is_same_v<T, double>, double, float>;

template <class T>
struct Result {
  GuardedBuffer<LossType<T>> loss;
  GuardedBuffer<T> grad;
};

/// `held` is what the gradient holds before; without accumulate it starts as NaN.
template <class T>
Result<T> run(const GuardedBuffer<T>& held, const GuardedBuffer<T>& features,
              const GuardedBuffer<T>& target, const MapSize& size, const ContentLossScale& scale,
              const GradientEpilogue& epilogue, bool with_gradient = true) {
  Result<T> result{GuardedBuffer<LossType<T>>(size.batch),
                   epilogue.accumulate ? held : GuardedBuffer<T>(size.count())};
  T* grad = with_gradient ? result.grad.data() : nullptr;
  if constexpr (std::is_same_v<T, double>) {
    reference::content_loss(result.loss.data(), grad, features.data(), target.data(), size, scale,
                            epilogue);
  } else {
    cpu::content_loss(result.loss.data(), grad, features.data(), target.data(), size, scale,
                      epilogue);
  }
  return result;
}

template <class T>
void gives_the_worked_example() {
  const MapSize size{2, 1, 3, 1};
  const auto features = numbers<T>({1, 0, 3, 2, 2, 0});
  const auto target = numbers<T>({0, 2, 3, 2, 5, 4});
  const auto held = numbers<T>({1, 1, 1, 1, 1, 1});
  // F − P = (1, −2, 0), (0, −3, −4): sums of squares 5 and 25.
  const ContentLossScale scale{0.5, 2};
  const auto grad = [&](const GradientEpilogue& epilogue) {
    const auto result = run(held, features, target, size, scale, epilogue);
    EXPECT_TRUE(test::is_equal(result.loss, Numbers{2.5, 12.5}));
    return result.grad;
  };
  EXPECT_TRUE(test::is_equal(grad({false, false}), Numbers{2, -4, 0, 0, -6, -8}));
  EXPECT_TRUE(test::is_equal(grad({true, false}), Numbers{3, -3, 1, 1, -5, -7}));
  EXPECT_TRUE(test::is_equal(grad({false, true}), Numbers{2, 0, 0, 0, -6, 0}));
  EXPECT_TRUE(test::is_equal(grad({true, true}), Numbers{3, 0, 1, 1, -5, 0}));
}

TEST(ContentLoss, ReferenceGivesTheWorkedExample) { gives_the_worked_example<double>(); }
TEST(ContentLoss, CpuGivesTheWorkedExampleInFloat) { gives_the_worked_example<float>(); }
TEST(ContentLoss, CpuGivesTheWorkedExampleInBfloat16) { gives_the_worked_example<bfloat16>(); }

TEST(ContentLoss, GradientMatchesCentralDifference) {
  const MapSize size{2, 3, 5, 4};
  const double weight = 3;
  const ContentLossScale scale{0.25, weight * 2 * 0.25};
  const auto features = test::gaussian(size.count(), 1);
  const auto target = test::gaussian(size.count(), 2);
  const auto loss = [&](const GuardedBuffer<double>& at) {
    const auto result = run(at, at, target, size, scale, {}, false);
    return weight * (result.loss[0] + result.loss[1]);
  };
  const auto grad = run(features, features, target, size, scale, {}).grad;
  EXPECT_LT(gradient_error(loss, features, grad), 1e-7);
}

template <class T>
void matches_the_reference() {
  for (const MapSize& size : test::map_sizes) {
    const auto features = test::features<T>(size.count(), 3);
    const auto target = test::features<T>(size.count(), 4);
    const auto held = test::gaussian<T>(size.count(), 5);
    const ContentLossScale scale{0.01, 0.3};
    for (const GradientEpilogue& epilogue : test::epilogues) {
      SCOPED_TRACE(testing::Message() << size << ", " << epilogue);
      const auto actual = run(held, features, target, size, scale, epilogue);
      const auto expected =
          run(widened(held), widened(features), widened(target), size, scale, epilogue);
      EXPECT_TRUE(test::is_close(actual.loss, expected.loss, {2e-7, 4e-7}));
      EXPECT_TRUE(
          test::is_close(actual.grad, test::rounded<T>(expected.grad), test::elementwise<T>));
    }
  }
}

TEST(ContentLoss, CpuMatchesTheReferenceInFloat) { matches_the_reference<float>(); }
TEST(ContentLoss, CpuMatchesTheReferenceInBfloat16) { matches_the_reference<bfloat16>(); }

template <class T>
void is_exact_on_integers() {
  for (const MapSize& size : test::map_sizes) {
    SCOPED_TRACE(size);
    const auto features = test::integers<T>(size.count(), 6);
    const auto target = test::integers<T>(size.count(), 7);
    const ContentLossScale scale{0.5, 2};
    const auto actual = run(features, features, target, size, scale, {});
    const auto expected =
        run(widened(features), widened(features), widened(target), size, scale, {});
    EXPECT_TRUE(test::is_equal(actual.loss, expected.loss));
    EXPECT_TRUE(test::is_equal(actual.grad, expected.grad));
  }
}

TEST(ContentLoss, CpuIsExactOnIntegersInFloat) { is_exact_on_integers<float>(); }
TEST(ContentLoss, CpuIsExactOnIntegersInBfloat16) { is_exact_on_integers<bfloat16>(); }

template <class T>
void is_the_same_without_a_gradient() {
  for (const MapSize& size : test::map_sizes) {
    SCOPED_TRACE(size);
    const auto features = test::features<T>(size.count(), 8);
    const auto target = test::features<T>(size.count(), 9);
    const auto with = run(features, features, target, size, {}, {});
    const auto without = run(features, features, target, size, {}, {true, true}, false);
    EXPECT_TRUE(test::same_bits(with.loss, without.loss));
    EXPECT_TRUE(test::same_bits(without.grad, features));
  }
}

TEST(ContentLoss, CpuLossIsTheSameWithoutAGradientInFloat) {
  is_the_same_without_a_gradient<float>();
}
TEST(ContentLoss, CpuLossIsTheSameWithoutAGradientInBfloat16) {
  is_the_same_without_a_gradient<bfloat16>();
}

template <class T>
void has_the_same_bits_on_any_number_of_threads() {
  const MapSize size{2, 61, 37, 64};
  const auto features = test::features<T>(size.count(), 10);
  const auto target = test::features<T>(size.count(), 11);
  const auto on_threads = [&](int threads) {
    const test::ThreadCount scope(threads);
    return run(target, features, target, size, {0.01, 0.3}, {true, true});
  };
  const auto one = on_threads(1);
  const auto two = on_threads(2);
  EXPECT_TRUE(test::same_bits(one.loss, two.loss));
  EXPECT_TRUE(test::same_bits(one.grad, two.grad));
}

TEST(ContentLoss, CpuHasTheSameBitsOnAnyNumberOfThreads) {
  has_the_same_bits_on_any_number_of_threads<float>();
  has_the_same_bits_on_any_number_of_threads<bfloat16>();
}

}  // namespace
}  // namespace impasto::kernels::content_loss_test
