// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "tests/simt/run.hpp"

namespace simt::test::stream_test {
namespace {

__global__ void add_one(int* y) { *y += 1; }

TEST(Stream, DoesNothingUntilItIsWaitedFor) {
  DeviceArray<int> y(std::vector<int>{0});
  Stream stream;
  launch(&add_one, {"add_one", {1}, {1}}, &stream, y.data());
  launch(&add_one, {"add_one", {1}, {1}}, &stream, y.data());
  EXPECT_EQ(y.values()[0], 0);
  stream.synchronize();
  EXPECT_EQ(y.values()[0], 2);
  stream.synchronize();
  EXPECT_EQ(y.values()[0], 2);
}

TEST(Stream, CapturedWorkIsDoneWhenItIsReplayed) {
  DeviceArray<int> y(std::vector<int>{0});
  Stream stream;
  stream.begin_capture();
  launch(&add_one, {"add_one", {1}, {1}}, &stream, y.data());
  const auto graph = stream.end_capture();
  stream.synchronize();
  EXPECT_EQ(y.values()[0], 0);
  for (int i = 0; i < 3; ++i) {
    for (const Stream::Work& work : graph) stream.enqueue(work);
  }
  stream.synchronize();
  EXPECT_EQ(y.values()[0], 3);
}

TEST(Stream, RefusesALaunchBeforeItIsEnqueued) {
  Stream stream;
  EXPECT_THROW(launch(&add_one, {"add_one", {1}, {2000}}, &stream, static_cast<int*>(nullptr)),
               Error);
}

TEST(Stream, RefusesALaunchWhileAnotherDeviceIsCurrent) {
  Stream stream(1);
  const auto launch_on_it = [&] {
    launch(&add_one, {"add_one", {1}, {1}}, &stream, static_cast<int*>(nullptr));
  };
  EXPECT_THROW(launch_on_it(), Error);
  Machine::set_current(1);
  EXPECT_NO_THROW(launch_on_it());
  Machine::set_current(0);
}

}  // namespace
}  // namespace simt::test::stream_test
