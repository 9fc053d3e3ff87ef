// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "kernels/gram/gram.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::gram_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

/// Few channels that fill no vector, whole tiles, several tiles with and without a tail; sums over
/// one slice of the pixels and over several splits.
constexpr std::array gram_sizes = {MapSize{1, 15, 20, 72}, MapSize{1, 5, 7, 128},
                                   MapSize{2, 3, 11, 200}, MapSize{1, 3, 5, 256},
                                   MapSize{1, 3, 3, 512}};

/// `offset` 0 lets the kernel use vectors, 1 does not; nor do channels that fill no vector.
template <class T>
GuardedBuffer<float> run(const GuardedBuffer<T>& features, const MapSize& size,
                         Arithmetic arithmetic, std::int64_t offset) {
  return test::under_every_schedule([&] {
    DeviceArray<T> x(features, offset);
    DeviceArray<float> gram(size.batch * size.channels * size.channels, offset);
    DeviceArray<float> workspace(IMPASTO_DEVICE::gram_workspace(size), offset);
    IMPASTO_DEVICE::gram(gram.data(), x.data(), size, arithmetic, workspace.data(), nullptr);
    return gram.values();
  });
}

GuardedBuffer<double> expected_gram(const GuardedBuffer<double>& features, const MapSize& size) {
  GuardedBuffer<double> gram(size.batch * size.channels * size.channels);
  reference::gram(gram.data(), features.data(), size);
  return gram;
}

/// About four times what was observed: 1.5e-7 and 1.7e-6 in fp32, 2.7e-4 and 4.1e-3 in tf32. The
/// products of 16-bit values are exact: 7e-8 and 5e-7 where their sums are rounded once, 9.1e-7 and
/// 3.6e-6 where tensor cores cut off, as every GPU's do.
template <class T>
test::ErrorLimit limit(Arithmetic arithmetic, int rounding = 0) {
  if (arithmetic == Arithmetic::fp32) return {6e-7, 7e-6};
  if (sizeof(T) == 4) return {1e-3, 1.6e-2};
  const bool rounds_once = test::device::rounding_count() > 1 && rounding == 0;
  return rounds_once ? test::ErrorLimit{3e-7, 2e-6} : test::ErrorLimit{4e-6, 1.5e-5};
}

template <class T>
void matches_the_reference(const MapSize& size, Arithmetic arithmetic, std::int64_t offset,
                           int rounding = 0) {
  SCOPED_TRACE(testing::Message() << size << (arithmetic == Arithmetic::fp32 ? ", fp32" : ", mma")
                                  << ", " << sizeof(T) << " bytes, offset " << offset);
  const auto features = test::features<T>(size.count(), 1);
  EXPECT_TRUE(test::is_close(run<T>(features, size, arithmetic, offset),
                             expected_gram(widened(features), size),
                             limit<T>(arithmetic, rounding)));
}

TEST(GramDevice, MatchesTheReference) {
  test::for_each_storage_type([]<class T>() {
    for (const Arithmetic arithmetic : {Arithmetic::fp32, Arithmetic::tensor_cores}) {
      for (const MapSize& size : test::map_sizes) {
        matches_the_reference<T>(size, arithmetic, 0);
        if (size.channels % 8 == 0 && size.count() < 20000)
          matches_the_reference<T>(size, arithmetic, 1);
      }
    }
  });
}

// A GPU's tensor cores cut off where the machine rounds to nearest: sums of values that are all
// positive come out too small, by more the more of them there are.
TEST(GramDevice, MatchesTheReferenceHoweverTensorCoresRound) {
  for (int rounding = 0; rounding < test::device::rounding_count(); ++rounding) {
    SCOPED_TRACE(testing::Message() << "rounding " << rounding);
    test::device::choose_rounding(rounding);
    test::for_each_storage_type([rounding]<class T>() {
      matches_the_reference<T>({1, 61, 67, 8}, Arithmetic::tensor_cores, 0, rounding);
      matches_the_reference<T>({1, 31, 33, 72}, Arithmetic::tensor_cores, 0, rounding);
    });
  }
  test::device::choose_rounding(0);
}

TEST(GramDevice, MatchesTheReferenceInSeveralTiles) {
  test::for_each_storage_type([]<class T>() {
    for (const Arithmetic arithmetic : {Arithmetic::fp32, Arithmetic::tensor_cores}) {
      for (const MapSize& size : gram_sizes) {
        // The largest in one type only: it takes as long as all the others.
        if (size.channels == 512 && !std::is_same_v<T, bfloat16>) continue;
        matches_the_reference<T>(size, arithmetic, 0);
      }
    }
  });
}

// Sums of up to 100·4² are exact in float, in any order, and their factors in every type.
TEST(GramDevice, IsExactOnIntegers) {
  test::for_each_storage_type([]<class T>() {
    for (const Arithmetic arithmetic : {Arithmetic::fp32, Arithmetic::tensor_cores}) {
      for (const MapSize& size : {MapSize{2, 9, 7, 7}, MapSize{1, 10, 10, 136}}) {
        SCOPED_TRACE(size);
        const auto features = test::integers<T>(size.count(), 2);
        EXPECT_TRUE(test::is_equal(run<T>(features, size, arithmetic, 0),
                                   expected_gram(widened(features), size)));
      }
    }
  });
}

TEST(GramDevice, IsSymmetricToTheBit) {
  test::for_each_storage_type([]<class T>() {
    const MapSize size{1, 7, 9, 136};
    const auto features = test::gaussian<T>(size.count(), 3);
    for (const Arithmetic arithmetic : {Arithmetic::fp32, Arithmetic::tensor_cores}) {
      const auto gram = run<T>(features, size, arithmetic, 0);
      for (std::size_t i = 0; i < 136; ++i) {
        for (std::size_t j = 0; j < i; ++j) ASSERT_EQ(gram[i * 136 + j], gram[j * 136 + i]);
      }
    }
  });
}

TEST(GramDevice, OfAnImageDoesNotDependOnItsBatch) {
  const MapSize one{1, 20, 30, 16};
  const MapSize batch{3, 20, 30, 16};
  const auto features = test::features<bfloat16>(batch.count(), 4);
  const auto grams = run<bfloat16>(features, batch, Arithmetic::tensor_cores, 0);
  GuardedBuffer<bfloat16> last(one.count());
  std::copy_n(features.data() + 2 * one.count(), one.count(), last.data());
  const auto gram = run<bfloat16>(last, one, Arithmetic::tensor_cores, 0);
  EXPECT_TRUE(std::equal(gram.begin(), gram.end(), grams.data() + 2 * gram.size()));
}

/// Unaligned, of two images; more channels than a tile of 32 and more pixels than a slice; more
/// channels than a tile of 64.
constexpr std::array ladder_sizes = {MapSize{2, 3, 5, 7}, MapSize{1, 6, 7, 35},
                                     MapSize{1, 5, 4, 72}};

class GramLadder : public testing::TestWithParam<IMPASTO_DEVICE::GramRung> {};
INSTANTIATE_TEST_SUITE_P(Every, GramLadder, testing::ValuesIn(IMPASTO_DEVICE::gram_ladder()),
                         test::rung_name<IMPASTO_DEVICE::GramRung>);

template <class T>
GuardedBuffer<float> run(const IMPASTO_DEVICE::GramRung& rung, const GuardedBuffer<T>& features,
                         const MapSize& size, std::int64_t offset) {
  return test::under_every_schedule([&] {
    DeviceArray<T> x(features, offset);
    DeviceArray<float> gram(size.batch * size.channels * size.channels, offset);
    DeviceArray<float> workspace(rung.workspace(size));
    rung.launch.template get<T>()(gram.data(), x.data(), size, workspace.data(), nullptr);
    return gram.values();
  });
}

TEST_P(GramLadder, MatchesTheReference) {
  const auto& rung = GetParam();
  test::for_each_storage_type_of(rung, [&]<class T>() {
    for (const MapSize& size : ladder_sizes) {
      // The widest in one type only and not by C² warps: it takes as long as all the others.
      const bool wide = size.channels == 72;
      if (wide && (!std::is_same_v<T, bfloat16> || rung.name == "rung_1_naive")) continue;
      SCOPED_TRACE(testing::Message() << size << ", " << sizeof(T) << " bytes");
      const auto features = test::features<T>(size.count(), 1);
      EXPECT_TRUE(test::is_close(run<T>(rung, features, size, size.batch == 2 ? 1 : 0),
                                 expected_gram(widened(features), size),
                                 limit<T>(rung.arithmetic)));
    }
  });
}

/// Several slices and splits in the tile of 64, tiles off the diagonal; for two blocks so many work
/// tiles that they use each stage again, in either tile.
constexpr std::array persistent_sizes = {MapSize{1, 18, 19, 64}, MapSize{1, 9, 15, 200},
                                         MapSize{20, 1, 3, 8}, MapSize{4, 1, 3, 136}};

class GramPersistentRungs : public GramLadder {};
INSTANTIATE_TEST_SUITE_P(Every, GramPersistentRungs,
                         testing::ValuesIn(test::persistent_rungs(IMPASTO_DEVICE::gram_ladder())),
                         test::rung_name<IMPASTO_DEVICE::GramRung>);

TEST_P(GramPersistentRungs, MatchTheReference) {
  const auto& rung = GetParam();
  test::for_each_storage_type_of(rung, [&]<class T>() {
    if (sizeof(T) == 4) return;
    for (const MapSize& size : persistent_sizes) {
      if (size.batch > 1 && !std::is_same_v<T, bfloat16>) continue;
      SCOPED_TRACE(testing::Message() << size << ", " << sizeof(T) << " bytes");
      const auto features = test::features<T>(size.count(), 1);
      test::device::choose_blocks(size.batch > 1 ? 2 : 0);
      const auto actual = run<T>(rung, features, size, 0);
      test::device::choose_blocks(0);
      EXPECT_TRUE(test::is_close(actual, expected_gram(widened(features), size),
                                 limit<T>(rung.arithmetic)));
    }
  });
}

}  // namespace
}  // namespace impasto::kernels::gram_device_test
