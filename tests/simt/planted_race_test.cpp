// SPDX-License-Identifier: MIT
// Apart from the other faults: a debugger's table of files is another where the first code of a
// source is a header's, as it is in the sources of kernels.
#include "tests/simt/planted_race.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/simt/run.hpp"

namespace simt::test::planted_race_test {
namespace {

TEST(PlantedRace, IsReportedAtItsLineOfTheHeader) {
  for (const Schedule& schedule : schedules) {
    DeviceArray<float> y(1);
    EXPECT_THAT(problem(schedule, {"kernel", {1}, {2}}, &planted_race, y.data()),
                testing::StartsWith("planted_race.hpp:" + std::to_string(race_line) +
                                    ": write of 4 bytes: race: "));
  }
}

constexpr int call_line = __LINE__ + 1;
__global__ void calls_a_helper(float* y) { store_one(y); }

TEST(PlantedRace, OfAHelperIsReportedWithTheKernelThatCalledIt) {
  for (const Schedule& schedule : schedules) {
    DeviceArray<float> y(1);
    EXPECT_THAT(problem(schedule, {"kernel", {1}, {2}}, &calls_a_helper, y.data()),
                testing::StartsWith("planted_race.hpp:" + std::to_string(helper_line) +
                                    " from planted_race_test.cpp:" + std::to_string(call_line) +
                                    ": write of 4 bytes: race: "));
  }
}

}  // namespace
}  // namespace simt::test::planted_race_test
