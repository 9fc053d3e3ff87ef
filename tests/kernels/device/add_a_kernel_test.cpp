// SPDX-License-Identifier: MIT
// The example of docs/add_a_kernel.md: the page's rung in the ladder of kernels/gram/gram.cu, built
// with the page's lines in it. The tests of every rung (gram_device_test.cpp) are linked as well.
#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "kernels/common/tuning.hpp"
#include "kernels/gram/gram.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::add_a_kernel_test {
namespace {

using test::DeviceArray;

const emulated::GramRung& page_rung() {
  const auto ladder = emulated::gram_ladder();
  const auto found = std::find_if(ladder.begin(), ladder.end(), [](const auto& rung) {
    return rung.name.ends_with("_four_rows");
  });
  if (found == ladder.end()) throw std::runtime_error("the page's rung is not in the ladder");
  return *found;
}

TEST(AddAKernel, ThePagesRungIsACandidate) {
  for (const MapSize& size : {MapSize{1, 8, 8, 64}, MapSize{1, 64, 64, 256}}) {
    const auto& shipped =
        shipped_rung<float>(emulated::gram_ladder(), "gram", Arithmetic::fp32, size);
    EXPECT_NE(shipped.name, page_rung().name);
  }
}

TEST(AddAKernel, ThePagesCountsAreWhatItsRungMoves) {
  const MapSize size{1, 16, 16, 64};
  DeviceArray<float> x(test::features<float>(size.count(), 1));
  DeviceArray<float> result(size.channels * size.channels);
  simt::Counter counter;
  simt::Machine::get().set_counter(&counter);
  page_rung().launch.f32(result.data(), x.data(), size, nullptr, nullptr);
  simt::Machine::get().set_counter(nullptr);
  std::ostringstream line;
  line << "| " << page_rung().name << " | " << counter.total().loads.bytes << " | "
       << counter.total().stores.bytes << " |";
  std::stringstream page;
  page << std::ifstream(IMPASTO_PAGE).rdbuf();
  EXPECT_NE(page.str().find(line.str()), std::string::npos) << line.str();
}

}  // namespace
}  // namespace impasto::kernels::add_a_kernel_test
