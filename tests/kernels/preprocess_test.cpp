// SPDX-License-Identifier: MIT
#include "kernels/preprocess/preprocess.hpp"

#include <gtest/gtest.h>

#include "kernels/common/bfloat16.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/guarded_buffer.hpp"
#include "tests/support/random_fill.hpp"
#include "tests/support/threads.hpp"

namespace impasto::kernels::preprocess_test {
namespace {

using test::GuardedBuffer;

constexpr std::array<std::int64_t, 9> pixel_counts = {1, 2, 3, 5, 16, 17, 31, 1009, 100003};
constexpr std::array<float, 3> mean = {123.68F, 116.779F, 103.939F};
constexpr std::array<double, 3> wide_mean = {mean[0], mean[1], mean[2]};

template <class T>
GuardedBuffer<T> run(const GuardedBuffer<float>& pixels, const std::array<float, 3>& mean_pixel) {
  GuardedBuffer<T> y(static_cast<std::int64_t>(pixels.size()));
  cpu::preprocess(y.data(), pixels.data(), mean_pixel,
                  static_cast<std::int64_t>(pixels.size()) / 3);
  return y;
}

TEST(Preprocess, SubtractsEachChannelsOwnMean) {
  const GuardedBuffer<double> pixels{10, 20, 30, 255, 0, 1};
  GuardedBuffer<double> y(6);
  reference::preprocess(y.data(), pixels.data(), {1, 2, 3}, 2);
  EXPECT_TRUE(test::is_equal(y, std::vector<double>{9, 18, 27, 254, -2, -2}));
}

template <class T>
void matches_the_reference() {
  for (const std::int64_t count : pixel_counts) {
    SCOPED_TRACE(count);
    const auto pixels = test::gaussian<float>(3 * count, 1, 128, 60);
    GuardedBuffer<double> expected(3 * count);
    reference::preprocess(expected.data(), widened(pixels).data(), wide_mean, count);
    EXPECT_TRUE(
        test::is_close(run<T>(pixels, mean), test::rounded<T>(expected), test::elementwise<T>));
  }
}

TEST(Preprocess, CpuMatchesTheReferenceInFloat) { matches_the_reference<float>(); }
TEST(Preprocess, CpuMatchesTheReferenceInBfloat16) { matches_the_reference<bfloat16>(); }

// Integers up to 256 are exact in bfloat16, so these differences are too.
template <class T>
void is_exact_on_integers() {
  for (const std::int64_t count : pixel_counts) {
    SCOPED_TRACE(count);
    const auto pixels = test::integers<float>(3 * count, 2, 0, 255);
    GuardedBuffer<double> expected(3 * count);
    reference::preprocess(expected.data(), widened(pixels).data(), {124, 117, 104}, count);
    EXPECT_TRUE(test::is_equal(run<T>(pixels, {124, 117, 104}), expected));
  }
}

TEST(Preprocess, CpuIsExactOnIntegersInFloat) { is_exact_on_integers<float>(); }
TEST(Preprocess, CpuIsExactOnIntegersInBfloat16) { is_exact_on_integers<bfloat16>(); }

TEST(Preprocess, CpuHasTheSameBitsOnAnyNumberOfThreads) {
  const auto pixels = test::gaussian<float>(3 * 100003, 3, 128, 60);
  const auto on_threads = [&](int threads) {
    const test::ThreadCount scope(threads);
    return run<bfloat16>(pixels, mean);
  };
  EXPECT_TRUE(test::same_bits(on_threads(1), on_threads(2)));
}

}  // namespace
}  // namespace impasto::kernels::preprocess_test
