// SPDX-License-Identifier: MIT
#include "kernels/gram/gram.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/random_fill.hpp"
#include "tests/support/threads.hpp"

namespace impasto::kernels::gram_test {
namespace {

using Buffer = test::GuardedBuffer<double>;

Buffer gram_of(const Buffer& features, const MapSize& size) {
  Buffer gram(size.batch * size.channels * size.channels);
  reference::gram(gram.data(), features.data(), size);
  return gram;
}

TEST(Gram, IsTheProductOfTheTransposedMapWithItself) {
  // Three pixels of two channels: (1,2), (3,4), (5,6).
  // G[0,0] = 1 + 9 + 25, G[0,1] = 2 + 12 + 30, G[1,1] = 4 + 16 + 36.
  EXPECT_TRUE(test::is_equal(gram_of({1, 2, 3, 4, 5, 6}, {1, 1, 3, 2}),
                             std::vector<double>{35, 44, 44, 56}));
}

TEST(Gram, OfOnePixelIsItsOuterProduct) {
  EXPECT_TRUE(test::is_equal(gram_of({2, -3}, {1, 1, 1, 2}), std::vector<double>{4, -6, -6, 9}));
}

TEST(Gram, IsSymmetric) {
  for (const MapSize& size : test::map_sizes) {
    SCOPED_TRACE(size);
    const std::int64_t C = size.channels;
    const Buffer gram = gram_of(test::gaussian(size.count(), 1), size);
    for (std::int64_t n = 0; n < size.batch; ++n) {
      for (std::int64_t i = 0; i < C; ++i) {
        for (std::int64_t j = 0; j < i; ++j) {
          ASSERT_EQ(gram.data()[(n * C + i) * C + j], gram.data()[(n * C + j) * C + i]);
        }
      }
    }
  }
}

TEST(Gram, DoesNotKnowWhereAPixelIs) {
  const MapSize size{1, 5, 7, 3};
  const Buffer features = test::integers(size.count(), 2);
  Buffer reversed = features;
  for (std::int64_t p = 0; p < size.pixels(); ++p) {
    std::copy_n(features.data() + p * 3, 3, reversed.data() + (size.pixels() - 1 - p) * 3);
  }
  EXPECT_TRUE(test::is_equal(gram_of(features, size), gram_of(reversed, size)));
}

TEST(Gram, OfABatchIsThatOfEachImage) {
  const MapSize one{1, 4, 3, 5};
  const MapSize batch{3, 4, 3, 5};
  const Buffer features = test::gaussian(batch.count(), 3);
  const Buffer grams = gram_of(features, batch);
  for (std::int64_t n = 0; n < 3; ++n) {
    Buffer image(one.count());
    std::copy_n(features.data() + n * one.count(), one.count(), image.data());
    const Buffer gram = gram_of(image, one);
    EXPECT_TRUE(std::equal(gram.begin(), gram.end(), grams.data() + n * 25));
  }
}

TEST(Gram, HasTheSameBitsOnAnyNumberOfThreads) {
  const MapSize size{2, 31, 17, 16};
  const Buffer features = test::gaussian(size.count(), 4);
  const auto on_threads = [&](int threads) {
    const test::ThreadCount scope(threads);
    return gram_of(features, size);
  };
  EXPECT_TRUE(test::same_bits(on_threads(1), on_threads(2)));
}

}  // namespace
}  // namespace impasto::kernels::gram_test
