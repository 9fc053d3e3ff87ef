// SPDX-License-Identifier: MIT
#include "kernels/common/parallel.hpp"

#include <bit>
#include <gtest/gtest.h>
#include <numeric>
#include <vector>

#include "tests/support/random_fill.hpp"
#include "tests/support/threads.hpp"

namespace impasto::kernels::parallel_test {
namespace {

constexpr std::array<std::int64_t, 10> counts = {0,    1,       2,          4095,    4096,
                                                 4097, 1000003, 256 * 4096, 1048577, 3000000};

TEST(OrderedSum, VisitsEveryIndexOnce) {
  for (const std::int64_t count : counts) {
    SCOPED_TRACE(count);
    std::vector<int> visits(static_cast<std::size_t>(count));
    const double sum = ordered_sum(count, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
      return static_cast<double>(end - begin);
    });
    EXPECT_EQ(sum, static_cast<double>(count));
    EXPECT_EQ(std::count(visits.begin(), visits.end(), 1), count);
  }
}

TEST(OrderedSum, NeverHandsOutAChunkBelowTheSmallestExceptTheLast) {
  for (const std::int64_t smallest : {1, 10, 4096}) {
    for (const std::int64_t count : counts) {
      ordered_sum(
          count,
          [&](std::int64_t begin, std::int64_t end) {
            EXPECT_TRUE(end - begin >= smallest || end == count) << begin << " " << end;
            return 0.0;
          },
          smallest);
    }
  }
}

TEST(OrderedSum, HasTheSameBitsOnAnyNumberOfThreads) {
  std::vector<double> values(1000003);
  test::fill_gaussian(values, 7);
  const auto sum_on = [&](int threads) {
    const test::ThreadCount scope(threads);
    const double sum = ordered_sum(1000003, [&](std::int64_t begin, std::int64_t end) {
      return std::accumulate(values.begin() + begin, values.begin() + end, 0.0);
    });
    return std::bit_cast<std::uint64_t>(sum);
  };
  const std::uint64_t one_thread = sum_on(1);
  for (const int threads : {2, 3, 4, 7}) EXPECT_EQ(sum_on(threads), one_thread) << threads;
}

}  // namespace
}  // namespace impasto::kernels::parallel_test
