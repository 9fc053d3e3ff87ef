// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "kernels/temporal_loss/temporal_loss.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::temporal_loss_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

TEST(TemporalLossDevice, MatchesTheReference) {
  for (const MapSize& size : test::map_sizes) {
    if (size.count() > 10000) continue;
    SCOPED_TRACE(testing::Message() << size);
    const auto pixels = test::gaussian<float>(size.count(), 1, 128, 60);
    const auto target = test::gaussian<float>(size.count(), 2, 128, 60);
    const auto mask = test::gaussian<float>(size.batch * size.pixels(), 3, 0.5, 0.2);
    const auto before = test::gaussian<float>(size.count(), 4);
    const TemporalLossScale scale{.loss = 0.01, .gradient = 0.3};
    GuardedBuffer<double> loss(size.batch);
    GuardedBuffer<double> grad = widened(before);
    reference::temporal_loss(loss.data(), grad.data(), widened(pixels).data(),
                             widened(target).data(), widened(mask).data(), size, scale);
    for (const bool with_gradient : {true, false}) {
      GuardedBuffer<float> found_grad(size.count());
      const auto found = test::under_every_schedule([&] {
        DeviceArray<float> x(pixels);
        DeviceArray<float> t(target);
        DeviceArray<float> m(mask);
        DeviceArray<float> to(before);
        DeviceArray<float> sums(size.batch);
        DeviceArray<double> workspace(temporal_loss_workspace(size));
        test::BlocksDone blocks_done;
        IMPASTO_DEVICE::temporal_loss(sums.data(), with_gradient ? to.data() : nullptr, x.data(),
                                      t.data(), m.data(), size, scale, workspace.data(),
                                      blocks_done.data(), nullptr);
        found_grad = to.values();
        return sums.values();
      });
      EXPECT_TRUE(test::is_close(found, loss, {1e-6, 2e-6}));
      if (with_gradient) {
        EXPECT_TRUE(test::is_close(found_grad, grad, {1e-6, 1e-5}));
      } else {
        EXPECT_TRUE(test::same_bits(found_grad, before));
      }
    }
  }
}

}  // namespace
}  // namespace impasto::kernels::temporal_loss_device_test
