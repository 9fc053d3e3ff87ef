// SPDX-License-Identifier: MIT
#include "host/model/schedule.hpp"

#include <gtest/gtest.h>

#include "host/backend/registry.hpp"
#include "host/core/error.hpp"
#include "host/model/vgg.hpp"
#include "kernels/common/philox.hpp"

namespace impasto::schedule_test {
namespace {

void nothing(Backend&, const Schedule&) {}

bool overlap(const Tensor& a, const Tensor& b) {
  return a.as<char>() < b.as<char>() + b.bytes() && b.as<char>() < a.as<char>() + a.bytes();
}

TEST(Schedule, TensorsWhoseLivesDoNotMeetShareMemory) {
  Schedule schedule;
  const TensorId a = schedule.temporary({1, 1, 1, 1000}, DataType::f32);
  const TensorId b = schedule.temporary({1, 1, 1, 1000}, DataType::f32);
  const TensorId c = schedule.temporary({1, 1, 1, 1000}, DataType::f32);
  schedule.add({.name = "a to b"}, {a, b}, nothing);
  schedule.add({.name = "b to c"}, {b, c}, nothing);
  EXPECT_EQ(schedule.place(), 2 * aligned_bytes(schedule[a]));
}

TEST(Schedule, ATensorNobodyTouchesTakesNoMemory) {
  Schedule schedule;
  schedule.temporary({1, 1, 1, 1000}, DataType::f32);
  EXPECT_EQ(schedule.place(), 0U);
}

TEST(Schedule, ATensorStaysWhereItIsWhileOthersAreAdded) {
  Schedule schedule;
  const TensorId id = schedule.temporary({1, 2, 3, 4}, DataType::f32);
  const Tensor& tensor = schedule[id];
  for (int i = 0; i < 1000; ++i) schedule.temporary({1, 1, 1, 1}, DataType::f32);
  EXPECT_EQ(&schedule[id], &tensor);
}

TEST(Schedule, StepsRunInTheOrderTheyWereAdded) {
  Schedule schedule;
  std::string order;
  for (const char name : {'a', 'b', 'c'}) {
    schedule.add({}, {}, [&order, name](Backend&, const Schedule&) { order += name; });
  }
  const auto backend = make_backend("reference");
  schedule.run(*backend);
  EXPECT_EQ(order, "abc");
}

TEST(Schedule, AnErrorSaysInWhichStepAndLayerItAppeared) {
  Schedule schedule;
  schedule.add({.name = "forward", .layer = &vgg19[vgg19.index("conv3_1")]}, {},
               [](Backend&, const Schedule&) { fail(ErrorKind::internal, "no such thing"); });
  const auto backend = make_backend("reference");
  try {
    schedule.run(*backend);
    FAIL() << "nothing failed";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "conv3_1 forward: no such thing");
  }
}

TEST(Schedule, TensorsAliveTogetherNeverOverlap) {
  // Random programs: every step touches a few of the values at random.
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    std::uint32_t counter = 0;
    const auto draw = [&](std::uint32_t below) {
      return kernels::philox4x32({counter++, 0, 0, 0}, {seed, 0})[0] % below;
    };
    Schedule schedule;
    std::vector<TensorId> values;
    for (int i = 0; i < 12; ++i) {
      values.push_back(schedule.temporary({1, 1, 1, 1 + draw(2000)}, DataType::f32));
    }
    std::vector<std::pair<int, int>> life(values.size(), {-1, -1});
    for (int step = 0; step < 20; ++step) {
      const std::uint32_t i = draw(12);
      const std::uint32_t j = draw(12);
      schedule.add({.name = "step"}, {values[i], values[j]}, nothing);
      for (const std::uint32_t touched : {i, j}) {
        if (life[touched].first < 0) life[touched].first = step;
        life[touched].second = step;
      }
    }
    const std::size_t bytes = schedule.place();
    std::vector<std::byte> arena(bytes);
    schedule.bind(arena.data());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (life[i].first < 0) continue;
      const Tensor& a = schedule[values[i]];
      EXPECT_GE(a.as<std::byte>(), arena.data());
      EXPECT_LE(a.as<std::byte>() + a.bytes(), arena.data() + bytes);
      for (std::size_t j = 0; j < i; ++j) {
        const bool together = life[j].first >= 0 && life[i].first <= life[j].second &&
                              life[j].first <= life[i].second;
        EXPECT_FALSE(together && overlap(a, schedule[values[j]])) << "seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace impasto::schedule_test
