// SPDX-License-Identifier: MIT
#include <array>
#include <gtest/gtest.h>

#include "kernels/channel_statistics/channel_statistics.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::channel_statistics_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

// Observed: at most 1e-7.
constexpr test::ErrorLimit limit{3e-7, 6e-7};

TEST(ChannelStatisticsDevice, MatchTheReference) {
  test::for_each_storage_type([&]<class T>() {
    test::for_each_small_map(test::map_sizes, [&](const MapSize& size, std::int64_t offset) {
      const auto features = test::features<T>(size.count(), 1);
      const auto weights = test::gaussian<float>(size.pixels(), 2, 1, 0.2F);
      for (const bool weighted : {false, true}) {
        SCOPED_TRACE(weighted);
        GuardedBuffer<double> expected(2 * size.batch * size.channels);
        reference::channel_statistics(expected.data(), widened(features).data(),
                                      weighted ? widened(weights).data() : nullptr, size);
        const auto found = test::under_every_schedule([&] {
          DeviceArray<T> x(features, offset);
          DeviceArray<float> w(weights);
          DeviceArray<float> statistics(2 * size.batch * size.channels);
          DeviceArray<double> workspace(channel_statistics_workspace(size));
          IMPASTO_DEVICE::channel_statistics(statistics.data(), x.data(),
                                             weighted ? w.data() : nullptr, size, workspace.data(),
                                             nullptr);
          return statistics.values();
        });
        EXPECT_TRUE(test::is_close(found, expected, limit));
      }
    });
  });
}

TEST(ChannelStatisticsDevice, LossAndCoefficientsMatchTheReferenceInPlaceAndNot) {
  const StatisticsLossScale scale{0.5, 0.1};
  for (const std::int64_t channels : {1, 3, 64, 257, 512}) {
    for (const std::int64_t batch : {1, 3}) {
      SCOPED_TRACE(testing::Message() << batch << " images of " << channels << " channels");
      const auto statistics = test::gaussian<float>(2 * batch * channels, 1, 1, 0.3);
      const auto target = test::gaussian<float>(2 * channels, 2, 1, 0.3);
      GuardedBuffer<double> loss(batch);
      GuardedBuffer<double> coefficients(2 * batch * channels);
      reference::statistics_loss(loss.data(), coefficients.data(), widened(statistics).data(),
                                 widened(target).data(), batch, channels, scale);
      for (const bool in_place : {false, true}) {
        GuardedBuffer<float> sums(batch);
        const auto found = test::under_every_schedule([&] {
          DeviceArray<float> from(statistics);
          DeviceArray<float> wanted(target);
          DeviceArray<float> own(2 * batch * channels);
          DeviceArray<float> losses(batch);
          DeviceArray<float>& to = in_place ? from : own;
          IMPASTO_DEVICE::statistics_loss(losses.data(), to.data(), from.data(), wanted.data(),
                                          batch, channels, scale, nullptr);
          sums = losses.values();
          return to.values();
        });
        EXPECT_TRUE(test::is_close(sums, loss, limit));
        EXPECT_TRUE(test::is_close(found, coefficients, {1e-6, 1e-5}));
      }
    }
  }
}

TEST(ChannelStatisticsDevice, BackwardMatchesTheReference) {
  test::for_each_storage_type([&]<class T>() {
    test::for_each_small_map(test::map_sizes, [&](const MapSize& size, std::int64_t offset) {
      const auto features = test::features<T>(size.count(), 1);
      const auto coefficients = test::gaussian<float>(2 * size.batch * size.channels, 2);
      const auto held = test::gaussian<T>(size.count(), 3);
      for (const GradientEpilogue& epilogue : test::epilogues) {
        SCOPED_TRACE(epilogue);
        GuardedBuffer<double> grad = widened(held);
        reference::statistics_backward(grad.data(), widened(features).data(),
                                       widened(coefficients).data(), size, epilogue);
        const auto found = test::under_every_schedule([&] {
          DeviceArray<T> x(features, offset);
          DeviceArray<float> c(coefficients);
          DeviceArray<T> unwritten(size.count(), offset);
          DeviceArray<T> written(held, offset);
          DeviceArray<T>& to = epilogue.accumulate ? written : unwritten;
          IMPASTO_DEVICE::statistics_backward(to.data(), x.data(), c.data(), size, epilogue,
                                              nullptr);
          return to.values();
        });
        EXPECT_TRUE(test::is_close(found, test::rounded<T>(grad), test::elementwise<T>));
      }
    });
  });
}

}  // namespace
}  // namespace impasto::kernels::channel_statistics_device_test
