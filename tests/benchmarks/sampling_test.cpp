// SPDX-License-Identifier: MIT
#include "benchmarks/sampling.hpp"

#include <cmath>
#include <gtest/gtest.h>

namespace impasto::bench::sampling_test {
namespace {

Samples samples_of(std::initializer_list<double> seconds) {
  Samples samples;
  for (const double each : seconds) samples.add(each);
  return samples;
}

TEST(Samples, HaveMeanAndNoise) {
  const Samples samples = samples_of({1, 2, 3, 4});
  EXPECT_DOUBLE_EQ(samples.mean(), 2.5);
  EXPECT_DOUBLE_EQ(samples.total(), 10);
  EXPECT_DOUBLE_EQ(samples.noise().value(), std::sqrt(5.0 / 3) / 2.5);
  EXPECT_EQ(samples_of({1}).noise(), std::nullopt);
}

TEST(StopRule, AsksForTimeForSamplesAndForLittleNoise) {
  constexpr StopRule rule{4, 0.1};
  EXPECT_TRUE(rule.ends(samples_of({1, 1, 1, 1, 1, 1, 1, 1, 1, 1})));
  EXPECT_FALSE(rule.ends(samples_of({.3, .3, .3, .3, .3, .3, .3, .3, .3, .3})));  // too short
  EXPECT_FALSE(rule.ends(samples_of({1, 1, 1, 1, 1, 1, 1, 1, 1})));  // too few to know their noise
  EXPECT_FALSE(rule.ends(samples_of({1, 2, 1, 2, 1, 2, 1, 2, 1, 2})));  // too noisy
}

TEST(StopRule, EndsAfterFiveTimesItsTime) {
  constexpr StopRule rule{4, 0.1};
  EXPECT_FALSE(rule.ends(samples_of({5, 10, 4})));
  EXPECT_TRUE(rule.ends(samples_of({5, 10, 5})));
  EXPECT_TRUE((StopRule{0, 0}).ends(samples_of({1})));
}

}  // namespace
}  // namespace impasto::bench::sampling_test
