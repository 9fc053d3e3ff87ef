// SPDX-License-Identifier: MIT
// What kernels without a ladder ask of global memory is what they have to move. Those of ladders
// have kept counts (benchmarks/results/simt/ladders.json).
#include <functional>
#include <gtest/gtest.h>

#include "kernels/conv/conv.hpp"
#include "kernels/pool/pool.hpp"
#include "kernels/preprocess/preprocess.hpp"
#include "kernels/style_backward/style_backward.hpp"
#include "kernels/style_loss/style_loss.hpp"
#include "simt/launch.hpp"
#include "tests/support/device_array.hpp"

namespace impasto::kernels::traffic_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

double moved_by(const std::function<void()>& launch) {
  simt::Counter counter;
  simt::Machine::get().set_counter(&counter);
  launch();
  simt::Machine::get().set_counter(nullptr);
  return static_cast<double>(counter.total().loads.bytes + counter.total().stores.bytes);
}

/// Within 2 %: sums have stages of their own.
testing::AssertionResult is_about(double counted, std::int64_t expected) {
  const double ratio = counted / static_cast<double>(expected);
  if (ratio > 0.98 && ratio < 1.02) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << counted << " bytes, " << ratio << " times the " << expected << " expected";
}

TEST(Traffic, OfKernelsWithoutALadderIsTheirWork) {
  namespace device = kernels::emulated;
  using T = bfloat16;
  constexpr MapSize picture{1, 64, 64, 3};
  constexpr MapSize map{1, 16, 32, 64};
  constexpr PoolKind kind;
  constexpr std::int64_t C = 128;
  DeviceArray<float> floats(GuardedBuffer<float>(32768, 1.0F));
  DeviceArray<float> more(GuardedBuffer<float>(32768, 1.0F));
  DeviceArray<T> values(GuardedBuffer<T>(32768, T(1.0F)));
  DeviceArray<T> written(GuardedBuffer<T>(32768, T(1.0F)));
  DeviceArray<float> workspace(GuardedBuffer<float>(65536, 0.0F));
  DeviceArray<device::ProductScalars> scalars(1);

  EXPECT_TRUE(is_about(moved_by([&] {
                         device::preprocess_padded(written.data(), floats.data(),
                                                   std::array<float, 3>{1, 2, 3}, picture.pixels(),
                                                   nullptr);
                       }),
                       12 * picture.pixels() + 2 * 8 * picture.pixels()));
  EXPECT_TRUE(is_about(
      moved_by([&] { device::pool_forward(written.data(), values.data(), map, kind, nullptr); }),
      2 * (map.count() + pooled(map, kind.rounding).count())));
  EXPECT_TRUE(is_about(moved_by([&] {
                         device::style_loss(
                             workspace.data(), workspace.data() + 1024, floats.data(), more.data(),
                             1, C, {}, reinterpret_cast<double*>(workspace.data() + 2), nullptr);
                       }),
                       (4 + 4 + 4) * C * C));
  EXPECT_TRUE(is_about(
      moved_by([&] { device::relu_mask(written.data(), values.data(), map.count(), nullptr); }),
      2 * 3 * map.count()));
  // A warp reads the bias of 64 channels once for 16 pixels.
  EXPECT_TRUE(is_about(
      moved_by([&] { device::bias_relu(written.data(), floats.data(), map, true, nullptr); }),
      2 * 2 * map.count() + 4 * map.count() / 16));
  // M is read for its largest value and again to be rounded by it. Before that each warp of 128
  // values reads the largest of 16 blocks, which these had to write.
  EXPECT_TRUE(is_about(moved_by([&] {
                         device::round_for_product<T>(scalars.data(), floats.data(), {1, 1, 1, C},
                                                      false, workspace.data(), nullptr);
                       }),
                       (8 + 2) * C * C + C * C / 128 * 64 + 64));
}

}  // namespace
}  // namespace impasto::kernels::traffic_test
