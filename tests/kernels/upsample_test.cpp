// SPDX-License-Identifier: MIT
#include "kernels/upsample/upsample.hpp"

#include <gtest/gtest.h>
#include <numeric>
#include <omp.h>

#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::upsample_test {
namespace {

using test::GuardedBuffer;

TEST(Upsample, ReferenceIsWorkedByHandAlongARow) {
  const std::vector<double> x = {4, 8, 16};
  std::vector<double> y(6, 100);
  reference::upsample_add(y.data(), x.data(), {1, 1, 6, 1});
  EXPECT_EQ(y, (std::vector<double>{104, 105, 107, 110, 114, 116}));
  // A row of five ends between the last two values.
  std::vector<double> odd(5, 0);
  reference::upsample_add(odd.data(), x.data(), {1, 1, 5, 1});
  EXPECT_EQ(odd, (std::vector<double>{4, 5, 7, 10, 14}));
}

TEST(Upsample, OfAConstantIsTheConstant) {
  for (const MapSize& size : test::map_sizes) {
    SCOPED_TRACE(size);
    const std::vector<double> x(static_cast<std::size_t>(halved(size).count()), 3);
    std::vector<double> y(static_cast<std::size_t>(size.count()), 0);
    reference::upsample_add(y.data(), x.data(), size);
    for (const double value : y) ASSERT_DOUBLE_EQ(value, 3);
  }
}

TEST(Upsample, TheTransposeIsTheTranspose) {
  for (const MapSize& size : test::map_sizes) {
    SCOPED_TRACE(size);
    const auto x = test::gaussian(halved(size).count(), 1);
    const auto y = test::gaussian(size.count(), 2);
    GuardedBuffer<double> up = test::zeros(size.count());
    GuardedBuffer<double> down(halved(size).count());
    reference::upsample_add(up.data(), x.data(), size);
    reference::upsample_transpose(down.data(), y.data(), size);
    const double one = std::inner_product(up.begin(), up.end(), y.begin(), 0.0);
    const double other = std::inner_product(x.begin(), x.end(), down.begin(), 0.0);
    EXPECT_NEAR(one, other, 1e-12 * (1 + std::abs(one)));
  }
}

TEST(Upsample, TheCpuFollowsTheReference) {
  for (const MapSize& size : test::map_sizes) {
    SCOPED_TRACE(size);
    const auto x = test::gaussian<float>(halved(size).count(), 1);
    const auto y = test::gaussian<float>(size.count(), 2);

    GuardedBuffer<double> sum = widened(y);
    reference::upsample_add(sum.data(), widened(x).data(), size);
    GuardedBuffer<float> found_sum = y;
    cpu::upsample_add(found_sum.data(), x.data(), size);
    EXPECT_TRUE(test::is_close(found_sum, sum, test::elementwise<float>));

    GuardedBuffer<double> gathered(halved(size).count());
    reference::upsample_transpose(gathered.data(), widened(y).data(), size);
    GuardedBuffer<float> found(halved(size).count());
    cpu::upsample_transpose(found.data(), y.data(), size);
    EXPECT_TRUE(test::is_close(found, gathered, test::elementwise<float>));
  }
}

TEST(Upsample, OnOneThreadAndTwoHasTheSameBits) {
  const MapSize size{2, 67, 51, 3};
  const auto x = test::gaussian<float>(halved(size).count(), 1);
  const auto y = test::gaussian<float>(size.count(), 2);
  const int threads = omp_get_max_threads();
  std::vector<GuardedBuffer<float>> sums;
  std::vector<GuardedBuffer<float>> gathered;
  for (const int count : {1, 2}) {
    omp_set_num_threads(count);
    sums.push_back(y);
    cpu::upsample_add(sums.back().data(), x.data(), size);
    gathered.emplace_back(halved(size).count());
    cpu::upsample_transpose(gathered.back().data(), y.data(), size);
  }
  omp_set_num_threads(threads);
  EXPECT_TRUE(test::same_bits(sums[0], sums[1]));
  EXPECT_TRUE(test::same_bits(gathered[0], gathered[1]));
}

}  // namespace
}  // namespace impasto::kernels::upsample_test
