// SPDX-License-Identifier: MIT
#include "host/backend/tuning/knob_search.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/backend/tuning/autotuner.hpp"

namespace impasto::knob_search_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

AlgoId engine(std::int64_t tile, std::int64_t stages) {
  return {"made up", {{"engine", 7}, {"tile", tile}, {"stages", stages}}};
}

const std::vector<Knob> knobs = {{"tile", {0, 1, 2, 3}}, {"stages", {1, 2, 4}}};

/// Times of an engine that does not exist, and what was timed.
struct Bench {
  std::function<double(std::int64_t tile, std::int64_t stages)> microseconds;
  std::vector<std::vector<AlgoId>> timed = {};

  AlgoId search(
      const AlgoId& start, const std::function<bool()>& has_time = [] { return true; }) {
    return search_knobs(
        start, knobs,
        [&](std::span<const AlgoId> ids) {
          timed.emplace_back(ids.begin(), ids.end());
          std::vector<double> times;
          for (const AlgoId& id : ids) {
            times.push_back(microseconds(id.parameters.at("tile"), id.parameters.at("stages")));
          }
          return times;
        },
        has_time);
  }
};

TEST(KnobSearch, TakesTheBestValueOfEachKnob) {
  Bench bench{[](std::int64_t tile, std::int64_t stages) {
    return 10.0 + static_cast<double>(std::abs(tile - 2) + std::abs(stages - 4));
  }};
  EXPECT_EQ(bench.search(engine(0, 1)), engine(2, 4));
  ASSERT_EQ(bench.timed.size(), 3U);
  EXPECT_THAT(bench.timed[0], ElementsAre(engine(0, 1), engine(1, 1), engine(2, 1), engine(3, 1)));
  EXPECT_THAT(bench.timed[1], ElementsAre(engine(2, 1), engine(2, 2), engine(2, 4)));
}

// More stages pay only where the tile is small, which pays only with more stages.
TEST(KnobSearch, GoesRoundUntilNoKnobMakesADifference) {
  Bench bench{[](std::int64_t tile, std::int64_t stages) {
    if (tile == 1) return stages == 2 ? 5.0 : 11.0;
    return stages == 2 ? 9.0 : 10.0;
  }};
  EXPECT_EQ(bench.search(engine(0, 1)), engine(1, 2));
}

TEST(KnobSearch, TimesNothingTwiceButTheFastestSoFar) {
  Bench bench{[](std::int64_t tile, std::int64_t stages) {
    return 10.0 - static_cast<double>(tile + stages);
  }};
  EXPECT_EQ(bench.search(engine(0, 1)), engine(3, 4));
  std::vector<AlgoId> beside;
  for (const auto& ids : bench.timed) beside.insert(beside.end(), ids.begin() + 1, ids.end());
  for (const AlgoId& id : beside) EXPECT_EQ(std::count(beside.begin(), beside.end(), id), 1);
}

TEST(KnobSearch, TakesNoValueThatDoesNotExistAndStaysWhereNoneIsFaster) {
  Bench bench{[](std::int64_t tile, std::int64_t stages) {
    return tile == 1 && stages == 2 ? 10.0 : failed_timing;
  }};
  EXPECT_EQ(bench.search(engine(1, 2)), engine(1, 2));
  Bench alike{[](std::int64_t, std::int64_t) { return 10.0; }};
  EXPECT_EQ(alike.search(engine(1, 2)), engine(1, 2));
}

TEST(KnobSearch, EndsWhenItsTimeIsSpent) {
  Bench bench{[](std::int64_t tile, std::int64_t stages) {
    return 10.0 - static_cast<double>(tile + stages);
  }};
  EXPECT_EQ(bench.search(engine(0, 1), [] { return false; }), engine(0, 1));
  EXPECT_THAT(bench.timed, IsEmpty());
  int asked = 0;
  EXPECT_EQ(bench.search(engine(0, 1), [&] { return ++asked < 2; }), engine(3, 1));
}

TEST(KnobSearch, HasNothingToDoWithoutKnobs) {
  const auto never = [](std::span<const AlgoId>) -> std::vector<double> {
    throw std::logic_error("something was timed");
  };
  EXPECT_EQ(search_knobs(engine(1, 2), {}, never, [] { return true; }), engine(1, 2));
}

}  // namespace
}  // namespace impasto::knob_search_test
