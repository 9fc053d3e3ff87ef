// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <gtest/gtest.h>

#include "kernels/adam/adam.hpp"
#include "kernels/common/tuning.hpp"
#include "kernels/content_loss/content_loss.hpp"
#include "kernels/conv/conv.hpp"
#include "kernels/first_conv/first_conv.hpp"
#include "kernels/gram/gram.hpp"
#include "kernels/gram_loss/gram_loss.hpp"
#include "kernels/pool/pool.hpp"
#include "kernels/style_backward/style_backward.hpp"
#include "kernels/total_variation/total_variation.hpp"
#include "tests/support/device_array.hpp"

namespace impasto::kernels::shipped_rung_test {
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

template <class T>
using TestLauncher = void (*)(T*);
using TestRung = RungWith<TestLauncher>;
struct Idea {
  static void launch(float* /*x*/) {}
};

TEST(ShippedRung, IsTheLastMarkedOneThatCanRun) {
  constexpr auto tensor_cores = Arithmetic::tensor_cores;
  const std::array ladder = {
      TestRung::of_pixels<Idea>({.name = "rung_1", .idea = "", .ships = true}),
      TestRung::of_pixels<Idea>({.name = "rung_2", .idea = "", .ships = true}),
      TestRung::of_pixels<Idea>({.name = "rung_3", .idea = "", .least_sm = 1000, .ships = true}),
      TestRung::of_pixels<Idea>(
          {.name = "rung_4", .idea = "", .arithmetic = tensor_cores, .ships = true}),
      TestRung::of_pixels<Idea>({.name = "rung_5", .idea = "", .arithmetic = tensor_cores}),
  };
  const std::span<const TestRung> all = ladder;
  EXPECT_EQ(shipped_rung<float>(all, "op", Arithmetic::fp32, {}).name, "rung_2");
  EXPECT_EQ(shipped_rung<float>(all, "op", tensor_cores, {}).name, "rung_4");
  EXPECT_THROW(shipped_rung<float>(all.first(3), "op", tensor_cores, {}), simt::Error);
  EXPECT_THROW(shipped_rung<bfloat16>(all, "op", tensor_cores, {}), simt::Error);
}

TEST(ShippedRung, IsNoCandidateWhateverItsPlace) {
  const std::array ladder = {
      TestRung::of_pixels<Idea>({.name = "rung_1", .idea = "", .ships = true}),
      TestRung::of_pixels<Idea>({.name = "rung_2_appended", .idea = ""}),
  };
  const std::span<const TestRung> all = ladder;
  EXPECT_EQ(shipped_rung<float>(all, "op", Arithmetic::fp32, {}).name, "rung_1");
}

/// Wherever a GPU can run any rung of an operation, one of them ships.
template <class OpRung>
void ships_wherever_it_runs(std::span<const OpRung> ladder) {
  for (const int sm : {75, 80, 86, 89, 90, 100, 120}) {
    for (const Arithmetic arithmetic : {Arithmetic::fp32, Arithmetic::tensor_cores}) {
      test::for_each_storage_type([&]<class T>() {
        const auto count = [&](auto condition) {
          return std::count_if(ladder.begin(), ladder.end(), [&](const OpRung& rung) {
            return rung.arithmetic == arithmetic && rung.runs_on(sm) && offers<T>(rung.launch) &&
                   condition(rung);
          });
        };
        const auto runs = count([](const OpRung& /*any*/) { return true; });
        const auto ships = count([](const OpRung& rung) { return rung.ships; });
        EXPECT_EQ(ships > 0, runs > 0) << ladder.back().name << " on sm_" << sm;
      });
    }
  }
}

TEST(ShippedRung, IsThereOnEveryGpuThatRunsAny) {
  namespace ladders = IMPASTO_DEVICE;
  ships_wherever_it_runs(ladders::adam_ladder());
  ships_wherever_it_runs(ladders::content_loss_ladder());
  ships_wherever_it_runs(ladders::conv_forward_ladder());
  ships_wherever_it_runs(ladders::conv_data_gradient_ladder());
  ships_wherever_it_runs(ladders::first_conv_forward_ladder());
  ships_wherever_it_runs(ladders::first_conv_backward_ladder());
  ships_wherever_it_runs(ladders::gram_ladder());
  ships_wherever_it_runs(ladders::gram_loss_ladder());
  ships_wherever_it_runs(ladders::pool_backward_ladder());
  ships_wherever_it_runs(ladders::style_backward_ladder());
  ships_wherever_it_runs(ladders::total_variation_ladder());
}

}  // namespace
}  // namespace impasto::kernels::shipped_rung_test
