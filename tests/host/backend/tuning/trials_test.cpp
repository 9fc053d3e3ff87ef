// SPDX-License-Identifier: MIT
#include "host/backend/tuning/trials.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/core/error.hpp"

namespace impasto {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Trials that write their number down, and a timer that lets each take what it is told.
struct Track {
  std::vector<std::size_t> order;
  std::vector<Trial> trials;

  explicit Track(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) trials.push_back([this, i] { order.push_back(i); });
  }
  Timer timer(std::function<double(std::size_t trial, std::size_t turn)> time) {
    return [this, time = std::move(time)](const Trial& trial) {
      trial();
      const auto own =
          static_cast<std::size_t>(std::count(order.begin(), order.end(), order.back()));
      return time(order.back(), own - 1);
    };
  }
};

TEST(Trials, TakeTurnsAfterWarmingUp) {
  Track track(3);
  (void)time_trials(track.trials, track.timer([](auto, auto) { return 1; }), {2, 1e9});
  EXPECT_THAT(track.order, ElementsAre(0, 1, 2, 0, 1, 2, 0, 1, 2));
}

TEST(Trials, GiveTheMedianWithoutTheWarmUp) {
  Track track(2);
  const std::vector<double> script = {1e6, 5, 900, 4, 6, 5};
  const auto times = time_trials(track.trials, track.timer([&](auto trial, auto turn) {
    return trial == 0 ? script[turn] : 2 * script[turn];
  }),
                                 {5, 1e9});
  EXPECT_THAT(times, ElementsAre(5, 10));
}

TEST(Trials, EndWithTheRoundInWhichTheirTimeIsSpent) {
  Track track(2);
  const auto times = time_trials(
      track.trials, track.timer([](auto, auto turn) { return turn == 0 ? 1e9 : 30; }), {100, 100});
  EXPECT_EQ(track.order.size(), 2U * (1 + 2)) << "60 after a round, 120 after two";
  EXPECT_THAT(times, ElementsAre(30, 30));
}

TEST(Trials, GoOnWithoutOneThatFails) {
  Track track(3);
  track.trials[1] = [] { fail(ErrorKind::backend, "no such kernel"); };
  const auto times = time_trials(track.trials, track.timer([](auto, auto) { return 2; }), {1, 1e9});
  EXPECT_THAT(times, ElementsAre(2, failed_trial, 2));
  EXPECT_THAT(track.order, ElementsAre(0, 2, 0, 2));
}

TEST(Trials, MayAllFail) {
  const std::vector<Trial> trials = {[] { fail(ErrorKind::backend, "no"); }};
  const Timer timer = [](const Trial& trial) {
    trial();
    return 1.0;
  };
  EXPECT_THAT(time_trials(trials, timer), ElementsAre(failed_trial));
  EXPECT_THAT(time_trials({}, timer), IsEmpty());
}

}  // namespace
}  // namespace impasto
