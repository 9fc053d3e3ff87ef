// SPDX-License-Identifier: MIT
// The example of docs/add_a_kernel.md, from the page's own code blocks: the rung's file, its line
// in the ladder and its line in the work model. Its kernel is traced.
#include <array>
#include <gtest/gtest.h>

#include "add_a_kernel/rung_11_four_rows.cuh"
#include "benchmarks/work.hpp"
#include "kernels/gram/gram.hpp"
#include "kernels/gram/ladder.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels {
namespace {

using emulated::GramRung;
using test::DeviceArray;
using test::GuardedBuffer;

/// As in gram.cu.
template <class Idea>
constexpr GramRung rung(const Rung& about) {
  return {about,
          &Idea::workspace,
          {&Idea::template launch<float>, &Idea::template launch<bfloat16>,
           &Idea::template launch<float16>}};
}
using emulated::GramFourRows;
constexpr std::array ladder = {
#include "add_a_kernel/gram.cu"
};

/// As in work.hpp.
work::Traffic traffic(std::string_view rung, double C, double map, double matrix) {
#include "add_a_kernel/work.hpp"
  return {map, matrix};
}

TEST(AddAKernel, ThePagesRungMatchesTheReference) {
  ASSERT_EQ(ladder.size(), 1U);
  test::for_each_storage_type([]<class T>() {
    for (const MapSize& size : {MapSize{2, 3, 5, 7}, MapSize{1, 6, 7, 35}}) {
      SCOPED_TRACE(size);
      const std::int64_t square = size.batch * size.channels * size.channels;
      const auto features = test::features<T>(size.count(), 1);
      GuardedBuffer<double> expected(square);
      reference::gram(expected.data(), widened(features).data(), size);
      const auto gram = test::under_every_schedule([&] {
        DeviceArray<T> x(features, size.batch - 1);
        DeviceArray<float> result(square);
        DeviceArray<float> workspace(ladder[0].workspace(size));
        ladder[0].launch.template get<T>()(result.data(), x.data(), size, workspace.data(),
                                           nullptr);
        return result.values();
      });
      EXPECT_TRUE(test::is_close(gram, expected, {6e-7, 7e-6}));
    }
  });
}

TEST(AddAKernel, ThePagesModelIsWhatItsRungMoves) {
  const MapSize size{1, 8, 8, 64};
  DeviceArray<float> x(test::features<float>(size.count(), 1));
  DeviceArray<float> result(size.channels * size.channels);
  simt::Counter counter;
  simt::Machine::get().set_counter(&counter);
  ladder[0].launch.get<float>()(result.data(), x.data(), size, nullptr, nullptr);
  simt::Machine::get().set_counter(nullptr);
  const double map = 4.0 * static_cast<double>(size.count());
  const work::Traffic model = traffic(ladder[0].name, 64, map, 4.0 * 64 * 64);
  EXPECT_EQ(static_cast<double>(counter.total().loads.bytes), model.loaded);
  EXPECT_EQ(static_cast<double>(counter.total().stores.bytes), model.stored);
}

}  // namespace
}  // namespace impasto::kernels
