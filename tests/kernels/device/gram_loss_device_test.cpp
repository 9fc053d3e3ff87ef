// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <gtest/gtest.h>

#include "kernels/gram/gram.hpp"
#include "kernels/gram_loss/gram_loss.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::gram_loss_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

/// Unaligned, of two images; several splits; several tiles.
constexpr std::array sizes = {MapSize{2, 3, 5, 7}, MapSize{1, 20, 30, 16}, MapSize{1, 3, 4, 136}};

template <class T, class M = T>
struct Result {
  GuardedBuffer<T> loss;
  GuardedBuffer<M> matrix;
};

GuardedBuffer<float> symmetric_target(std::int64_t channels) {
  auto target = test::gaussian<float>(channels * channels, 2);
  const auto C = static_cast<std::size_t>(channels);
  for (std::size_t i = 0; i < C; ++i) {
    for (std::size_t j = 0; j < i; ++j) target[i * C + j] = target[j * C + i];
  }
  return target;
}

constexpr StyleLossScale scale_of(const MapSize& size) {
  return {1.0 / static_cast<double>(size.pixels()), 0.5, 3};
}

/// Calls launch(loss, matrix, features, target, workspace, blocks_done), with the matrix in M.
template <class M = float, class T, class Launch>
Result<float, M> run(const GuardedBuffer<T>& features, const MapSize& size, std::int64_t offset,
                     Launch launch) {
  Result<float, M> result{GuardedBuffer<float>(size.batch), GuardedBuffer<M>(1)};
  result.matrix = test::under_every_schedule([&] {
    DeviceArray<T> x(features, offset);
    DeviceArray<float> target(symmetric_target(size.channels), offset);
    DeviceArray<float> loss(size.batch);
    DeviceArray<M> matrix(size.batch * size.channels * size.channels, offset);
    DeviceArray<float> workspace(IMPASTO_DEVICE::gram_loss_workspace(size));
    test::BlocksDone blocks_done;
    launch(loss.data(), matrix.data(), x.data(), target.data(), workspace.data(),
           blocks_done.data());
    result.loss = loss.values();
    return matrix.values();
  });
  return result;
}

Result<double> expected(const GuardedBuffer<double>& features, const MapSize& size) {
  Result<double> result{GuardedBuffer<double>(size.batch),
                        GuardedBuffer<double>(size.batch * size.channels * size.channels)};
  reference::gram_loss(result.loss.data(), result.matrix.data(), features.data(),
                       widened(symmetric_target(size.channels)).data(), size, scale_of(size));
  return result;
}

/// As gram's: about four times what was observed.
template <class T>
constexpr test::ErrorLimit limit(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::tensor_cores && sizeof(T) == 4 ? test::ErrorLimit{1e-3, 1.6e-2}
                                                                  : test::ErrorLimit{6e-7, 7e-6};
}

class GramLossLadder : public testing::TestWithParam<IMPASTO_DEVICE::GramLossRung> {};
INSTANTIATE_TEST_SUITE_P(Every, GramLossLadder,
                         testing::ValuesIn(IMPASTO_DEVICE::gram_loss_ladder()),
                         test::rung_name<IMPASTO_DEVICE::GramLossRung>);

TEST_P(GramLossLadder, MatchesTheReference) {
  const auto& rung = GetParam();
  test::for_each_storage_type_of(rung, [&]<class T>() {
    for (const MapSize& size : sizes) {
      if (size.channels == 136 && !std::is_same_v<T, bfloat16>) continue;
      SCOPED_TRACE(testing::Message() << size << ", " << sizeof(T) << " bytes");
      const auto features = test::features<T>(size.count(), 1);
      const auto actual =
          run(features, size, size.batch - 1,
              [&](float* loss, const StyleMatrixOutput& matrix, const T* x, const float* target,
                  float* workspace, unsigned* blocks_done) {
                rung.launch.template get<T>()(loss, matrix, x, target, size, scale_of(size),
                                              workspace, blocks_done, nullptr);
              });
      const auto wanted = expected(widened(features), size);
      EXPECT_TRUE(test::is_close(actual.loss, wanted.loss, limit<T>(rung.arithmetic)));
      EXPECT_TRUE(test::is_close(actual.matrix, wanted.matrix, limit<T>(rung.arithmetic)));
    }
  });
}

TEST_P(GramLossLadder, RoundsTheMatrixToBfloat16) {
  const auto& rung = GetParam();
  for (const MapSize& size : sizes) {
    SCOPED_TRACE(size);
    const auto features = test::features<bfloat16>(size.count(), 1);
    const auto launch = [&](float* loss, const StyleMatrixOutput& matrix, const bfloat16* x,
                            const float* target, float* workspace, unsigned* blocks_done) {
      rung.launch.get<bfloat16>()(loss, matrix, x, target, size, scale_of(size), workspace,
                                  blocks_done, nullptr);
    };
    const auto wide = run(features, size, size.batch - 1, launch);
    const auto narrow = run<bfloat16>(features, size, size.batch - 1, launch);
    EXPECT_TRUE(
        test::is_equal(narrow.matrix, widened(test::rounded<bfloat16>(widened(wide.matrix)))));
    EXPECT_TRUE(test::is_equal(narrow.loss, widened(wide.loss)));
  }
}

/// What makes the Gram matrix faster makes an iteration faster: it runs gram_loss, not gram.
TEST(GramLossDevice, HasEveryRungOfGramThatHasTwoStages) {
  const auto own = IMPASTO_DEVICE::gram_loss_ladder();
  int two_stages = 0;
  for (const auto& rung : IMPASTO_DEVICE::gram_ladder()) {
    // The others write G themselves and need no partial sums.
    if (rung.workspace({1, 8, 8, 64}) == 0) continue;
    ++two_stages;
    const auto same = std::find_if(own.begin(), own.end(),
                                   [&](const auto& each) { return each.name == rung.name; });
    ASSERT_NE(same, own.end()) << rung.name;
    EXPECT_EQ(same->arithmetic, rung.arithmetic);
    EXPECT_EQ(same->least_sm, rung.least_sm);
    EXPECT_EQ(same->sm_90a, rung.sm_90a);
    EXPECT_EQ(same->persistent, rung.persistent);
    EXPECT_EQ(same->ships, rung.ships);
    test::for_each_storage_type([&]<class T>() {
      EXPECT_EQ(offers<T>(same->launch), offers<T>(rung.launch)) << rung.name;
    });
  }
  EXPECT_GE(two_stages, 2);
}

TEST(GramLossDevice, IsExactOnIntegersAsItShips) {
  const MapSize size{2, 9, 7, 7};
  const auto features = test::integers<bfloat16>(size.count(), 3);
  for (const Arithmetic arithmetic : {Arithmetic::fp32, Arithmetic::tensor_cores}) {
    DeviceArray<bfloat16> x(features);
    DeviceArray<float> target(test::zeros<float>(49));
    DeviceArray<float> loss(2);
    DeviceArray<float> matrix(98);
    DeviceArray<float> workspace(IMPASTO_DEVICE::gram_loss_workspace(size));
    test::BlocksDone blocks_done;
    IMPASTO_DEVICE::gram_loss(loss.data(), matrix.data(), x.data(), target.data(), size, arithmetic,
                              {1, 0.125, 2}, workspace.data(), blocks_done.data(), nullptr);
    GuardedBuffer<double> wanted_loss(2);
    GuardedBuffer<double> wanted(98);
    reference::gram_loss(wanted_loss.data(), wanted.data(), widened(features).data(),
                         test::zeros<double>(49).data(), size, {1, 0.125, 2});
    EXPECT_TRUE(test::is_equal(matrix.values(), wanted));
    EXPECT_TRUE(test::is_close(loss.values(), wanted_loss, {1e-7, 1e-7}));
  }
}

}  // namespace
}  // namespace impasto::kernels::gram_loss_device_test
