// SPDX-License-Identifier: MIT
#include "host/runtime/runtime.hpp"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vector>

#include "host/core/error.hpp"
#include "simt/launch.hpp"

namespace impasto::IMPASTO_DEVICE::runtime_test {
namespace {

using testing::Each;
using testing::ElementsAre;

constexpr std::size_t bytes = 4 * sizeof(float);

float* floats(const std::shared_ptr<void>& memory) { return static_cast<float*>(memory.get()); }

__global__ void double_each(float* y) { y[threadIdx.x] *= 2; }
__global__ void lose_a_barrier() {
  if (threadIdx.x == 0) __syncthreads();
}

TEST(Runtime, CopiesWhenItIsWaitedFor) {
  Runtime runtime;
  const auto device = runtime.allocate(bytes);
  const std::vector<float> from = {1, 2, 3, 4};
  std::vector<float> to(4, -1);
  runtime.copy_to_device(device.get(), from.data(), bytes);
  simt::launch(&double_each, {"double_each", {1}, {4}}, runtime.stream(), floats(device));
  runtime.copy_to_host(to.data(), device.get(), bytes);
  EXPECT_THAT(to, Each(-1)) << "the host looked too early and saw the result";
  runtime.synchronize();
  EXPECT_THAT(to, ElementsAre(2, 4, 6, 8));
}

TEST(Runtime, FillsAndCopiesOnTheDevice) {
  Runtime runtime;
  const auto one = runtime.allocate(bytes);
  const auto other = runtime.allocate(bytes);
  std::vector<float> to(4, -1);
  runtime.fill_zero(one.get(), bytes);
  runtime.copy(other.get(), one.get(), bytes);
  runtime.copy_to_host(to.data(), other.get(), bytes);
  runtime.synchronize();
  EXPECT_THAT(to, Each(0));
}

TEST(Runtime, ReplaysWhatWasCaptured) {
  Runtime runtime;
  const auto device = runtime.allocate(bytes);
  const std::vector<float> from = {1, 2, 3, 4};
  std::vector<float> to(4);
  runtime.copy_to_device(device.get(), from.data(), bytes);
  const auto graph = runtime.capture([&] {
    simt::launch(&double_each, {"double_each", {1}, {4}}, runtime.stream(), floats(device));
  });
  for (int i = 0; i < 3; ++i) runtime.replay(*graph);
  runtime.copy_to_host(to.data(), device.get(), bytes);
  runtime.synchronize();
  EXPECT_THAT(to, ElementsAre(8, 16, 24, 32));
}

TEST(Runtime, GoesOnAfterACaptureThatFailed) {
  Runtime runtime;
  EXPECT_THROW((void)runtime.capture([] { fail(ErrorKind::usage, "no"); }), Error);
  const auto device = runtime.allocate(bytes);
  std::vector<float> to(4, -1);
  runtime.fill_zero(device.get(), bytes);
  runtime.copy_to_host(to.data(), device.get(), bytes);
  runtime.synchronize();
  EXPECT_THAT(to, Each(0));
}

TEST(Runtime, AnEventPassesWithTheWorkBeforeIt) {
  Runtime runtime;
  const auto event = runtime.make_event();
  runtime.record(*event);
  EXPECT_FALSE(event->passed());
  event->wait();
  EXPECT_TRUE(event->passed());
}

TEST(Runtime, SaysWhichKernelIsAtFaultAndGoesOn) {
  Runtime runtime;
  simt::launch(&lose_a_barrier, {"lose_a_barrier", {1}, {32}}, runtime.stream());
  try {
    runtime.synchronize();
    FAIL() << "the fault went unnoticed";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::internal);
    EXPECT_THAT(error.what(), testing::HasSubstr("lose_a_barrier"));
  }
  runtime.synchronize();
}

TEST(Runtime, MemoryBeginsAsRubbish) {
  Runtime runtime;
  const auto device = runtime.allocate(bytes);
  std::vector<float> to(4, 0);
  runtime.copy_to_host(to.data(), device.get(), bytes);
  runtime.synchronize();
  for (const float value : to) EXPECT_TRUE(std::isnan(value));
}

}  // namespace
}  // namespace impasto::IMPASTO_DEVICE::runtime_test
