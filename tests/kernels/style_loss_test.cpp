// SPDX-License-Identifier: MIT
#include "kernels/style_loss/style_loss.hpp"

#include <array>
#include <gtest/gtest.h>

#include "tests/support/compare.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/random_fill.hpp"
#include "tests/support/threads.hpp"

namespace impasto::kernels::style_loss_test {
namespace {

using test::GuardedBuffer;

constexpr StyleLossScale scale{0.25, 0.5, 3};

template <class T>
struct Result {
  GuardedBuffer<T> loss;
  GuardedBuffer<T> matrix;
};

template <class T>
Result<T> run(const GuardedBuffer<T>& gram, const GuardedBuffer<T>& target, std::int64_t batch,
              std::int64_t channels, const StyleLossScale& with) {
  Result<T> result{GuardedBuffer<T>(batch), GuardedBuffer<T>(batch * channels * channels)};
  if constexpr (std::is_same_v<T, double>) {
    reference::style_loss(result.loss.data(), result.matrix.data(), gram.data(), target.data(),
                          batch, channels, with);
  } else {
    cpu::style_loss(result.loss.data(), result.matrix.data(), gram.data(), target.data(), batch,
                    channels, with);
  }
  return result;
}

template <class T>
void gives_the_worked_example() {
  // D = G/4 − target = (1−3, 2−2, 2−2, 6−3), so Σ D² = 4 + 9 and M = 3·D.
  // The second image: D = (0−3, 0−2, 0−2, 8−3), Σ D² = 9 + 4 + 4 + 25.
  const auto [loss, matrix] = run<T>({4, 8, 8, 24, 0, 0, 0, 32}, {3, 2, 2, 3}, 2, 2, scale);
  EXPECT_TRUE(test::is_equal(loss, std::vector<double>{6.5, 21}));
  EXPECT_TRUE(test::is_equal(matrix, std::vector<double>{-6, 0, 0, 9, -9, -6, -6, 15}));
}

TEST(StyleLoss, ReferenceGivesTheWorkedExample) { gives_the_worked_example<double>(); }
TEST(StyleLoss, CpuGivesTheWorkedExample) { gives_the_worked_example<float>(); }

TEST(StyleLoss, IsZeroWhereTheScaledGramMatrixIsTheTarget) {
  const auto gram = test::gaussian<float>(49, 1);
  GuardedBuffer<float> target = gram;
  for (float& value : target) value *= 0.25F;
  const auto [loss, matrix] = run(gram, target, 1, 7, scale);
  EXPECT_EQ(loss[0], 0.0F);
  EXPECT_TRUE(test::is_equal(matrix, test::zeros(49)));
}

TEST(StyleLoss, MatrixIsTheGradientWithRespectToTheGramMatrix) {
  // gradient = 2·loss·gram: the derivative of loss·Σ (gram·G − A)² by G.
  const StyleLossScale derivative{0.3, 0.7, 2 * 0.7 * 0.3};
  const auto target = test::gaussian(25, 2);
  const auto gram = test::gaussian(25, 3);
  const auto loss = [&](const GuardedBuffer<double>& at) {
    return run(at, target, 1, 5, derivative).loss[0];
  };
  EXPECT_LT(gradient_error(loss, gram, run(gram, target, 1, 5, derivative).matrix), 1e-7);
}

struct Case {
  std::int64_t batch;
  std::int64_t channels;
};
constexpr std::array cases = {Case{1, 1},  Case{2, 3},   Case{3, 7},  Case{1, 16},
                              Case{2, 64}, Case{1, 127}, Case{2, 512}};

TEST(StyleLoss, CpuMatchesTheReference) {
  for (const auto& [batch, channels] : cases) {
    SCOPED_TRACE(testing::Message() << batch << " images, " << channels << " channels");
    const auto gram = test::gaussian<float>(batch * channels * channels, 4);
    const auto target = test::gaussian<float>(channels * channels, 5);
    const StyleLossScale with{0.3, 0.01, 0.17};
    const auto actual = run(gram, target, batch, channels, with);
    const auto expected = run(widened(gram), widened(target), batch, channels, with);
    EXPECT_TRUE(test::is_close(actual.loss, expected.loss, {1e-7, 2e-7}));
    EXPECT_TRUE(test::is_close(actual.matrix, expected.matrix, {1e-7, 4e-7}));
  }
}

// A float difference of two numbers near 1e6 would know 1e-3 of this at best.
TEST(StyleLoss, CpuKeepsItsDigitsWhereGramAndTargetAreNear) {
  const auto gram = test::gaussian<float>(64 * 64, 6, 1e6, 1e5);
  GuardedBuffer<float> target = gram;
  for (float& value : target) value = value * 0.3F + 1;
  const StyleLossScale with{0.3, 1, 1};
  const auto actual = run(gram, target, 1, 64, with);
  const auto expected = run(widened(gram), widened(target), 1, 64, with);
  EXPECT_TRUE(test::is_close(actual.loss, expected.loss, {1e-7, 2e-7}));
  EXPECT_TRUE(test::is_close(actual.matrix, expected.matrix, {1e-7, 4e-7}));
}

TEST(StyleLoss, CpuHasTheSameBitsOnAnyNumberOfThreads) {
  const auto gram = test::gaussian<float>(2 * 512 * 512, 7);
  const auto target = test::gaussian<float>(512 * 512, 8);
  const auto on_threads = [&](int threads) {
    const test::ThreadCount scope(threads);
    return run(gram, target, 2, 512, {0.3, 0.01, 0.17});
  };
  const auto one = on_threads(1);
  const auto two = on_threads(2);
  EXPECT_TRUE(test::same_bits(one.loss, two.loss));
  EXPECT_TRUE(test::same_bits(one.matrix, two.matrix));
}

}  // namespace
}  // namespace impasto::kernels::style_loss_test
