// SPDX-License-Identifier: MIT
#include <cmath>
#include <gtest/gtest.h>

#include "tests/simt/run.hpp"

namespace simt::test::rubbish_test {
namespace {

/// Tells what a static array holds when a block begins.
__global__ void leave_in_shared(float* y) {
  SIMT_SHARED(float, value, [1]);
  if (blockIdx.x == 7) y[0] = value[0];
  value[0] = 1;
}

TEST(SharedMemory, IsRubbishAtTheBeginningOfABlock) {
  DeviceArray<float> y(1);
  run(schedules[0], {"leave_in_shared", {8}, {1}}, &leave_in_shared, y.data());
  EXPECT_TRUE(std::isnan(y.values()[0]));
}

TEST(GlobalMemory, IsRubbishAfterItsAllocation) {
  DeviceArray<float> y(3);
  for (const float value : y.values()) EXPECT_TRUE(std::isnan(value));
}

}  // namespace
}  // namespace simt::test::rubbish_test
