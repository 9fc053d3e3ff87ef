// SPDX-License-Identifier: MIT
#include <array>
#include <gtest/gtest.h>

#include "kernels/common/tuning.hpp"

namespace impasto::kernels {
namespace {

constexpr std::array table = {
    TunedRung{"GPU", "gram", "bf16", Arithmetic::fp32, 64, 1000, "rung_2"},
    TunedRung{"GPU", "gram", "bf16", Arithmetic::fp32, 64, 9000, "rung_3"},
    TunedRung{"GPU", "gram", "bf16", Arithmetic::tensor_cores, 64, 1000, "rung_9"},
};

std::string_view tuned(std::string_view device, Arithmetic arithmetic, const MapSize& size) {
  return tuned_rung(table, device, "gram", "bf16", arithmetic, size);
}

TEST(ShippedRung, TakesTheNearestNumberOfPixels) {
  EXPECT_EQ(tuned("GPU", Arithmetic::fp32, {1, 1, 10, 64}), "rung_2");
  EXPECT_EQ(tuned("GPU", Arithmetic::fp32, {1, 50, 100, 64}), "rung_3");
  // Not of the batch.
  EXPECT_EQ(tuned("GPU", Arithmetic::fp32, {50, 10, 100, 64}), "rung_2");
}

TEST(ShippedRung, IsSilentOnOtherDevicesShapesAndArithmetics) {
  EXPECT_EQ(tuned("another GPU", Arithmetic::fp32, {1, 10, 100, 64}), "");
  EXPECT_EQ(tuned("GPU", Arithmetic::fp32, {1, 10, 100, 128}), "");
  EXPECT_EQ(tuned("GPU", Arithmetic::tensor_cores, {1, 10, 100, 64}), "rung_9");
}

struct TestRung : Rung {
  void (*launch)(int);
};

TEST(ShippedRung, TheLastRungThatCanRunShips) {
  void (*const nothing)(int) = [](int) {};
  const std::array ladder = {
      TestRung{{"rung_1", ""}, nothing},
      TestRung{{"rung_2", ""}, nothing},
      TestRung{{"rung_3", "", Arithmetic::fp32, 1000}, nothing},
      TestRung{{"rung_4", "", Arithmetic::tensor_cores}, nothing},
      TestRung{{"rung_5", "", Arithmetic::tensor_cores, 90, true}, nothing},  // if it was measured
  };
  const std::span<const TestRung> all = ladder;
  EXPECT_EQ(shipped_rung<float>(all, "op", Arithmetic::fp32, {}).name, "rung_2");
  EXPECT_EQ(shipped_rung<float>(all, "op", Arithmetic::tensor_cores, {}).name, "rung_4");
  EXPECT_THROW(shipped_rung<float>(all.first(3), "op", Arithmetic::tensor_cores, {}), simt::Error);
}

}  // namespace
}  // namespace impasto::kernels
