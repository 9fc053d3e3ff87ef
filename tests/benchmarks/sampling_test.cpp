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
  EXPECT_DOUBLE_EQ(samples.noise(), std::sqrt(5.0 / 3) / 2.5);
  EXPECT_EQ(samples_of({1}).noise(), 0);
}

TEST(StopRule, AsksForTimeAndForLittleNoise) {
  constexpr StopRule rule{4, 0.1};
  EXPECT_FALSE(rule.ends(samples_of({1, 1, 1})));  // too short
  EXPECT_TRUE(rule.ends(samples_of({1, 1, 1, 1})));
  EXPECT_FALSE(rule.ends(samples_of({1, 2, 1, 2})));  // too noisy
  EXPECT_FALSE(rule.ends(samples_of({4})));           // one sample has no noise to speak of
}

TEST(StopRule, EndsAfterFiveTimesItsTime) {
  constexpr StopRule rule{4, 0.1};
  EXPECT_FALSE(rule.ends(samples_of({5, 10, 4})));
  EXPECT_TRUE(rule.ends(samples_of({5, 10, 5})));
  EXPECT_TRUE((StopRule{0, 0}).ends(samples_of({1})));
}

}  // namespace
}  // namespace impasto::bench::sampling_test
