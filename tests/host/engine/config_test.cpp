// SPDX-License-Identifier: MIT
#include "host/engine/config.hpp"

#include <gtest/gtest.h>

#include "host/core/error.hpp"

namespace impasto {
namespace {

TEST(Preset, EveryNameGivesAnObjectiveThatMakesSense) {
  for (const std::string& name : preset_names()) {
    const Config config = preset(name);
    EXPECT_EQ(config.preset, name);
    EXPECT_NO_THROW(check(config.objective));
  }
}

TEST(Preset, AnUnknownNameIsAUsageError) { EXPECT_THROW(preset("gatys"), Error); }

TEST(Preset, CourseraScalesAreTheAssignments) {
  const Objective objective = preset("coursera").objective;
  const double c = 512;
  const double p = 38 * 50;
  EXPECT_DOUBLE_EQ(objective.content_scale.at(512, 38 * 50), 1 / (4 * c * p));
  const double gram = objective.gram_scale.at(512, 38 * 50);
  EXPECT_DOUBLE_EQ(gram * gram * objective.style_scale.at(512, 38 * 50), 1 / (4 * c * c * p * p));
}

TEST(Preset, CourseraTotalIsTheAssignments) {
  // The assignment's test of total_cost: J_content and J_style are the first two normal numbers of
  // NumPy's generator seeded with 3, and J is published.
  const double content = 1.7886284734303186;
  const double style = 0.43650985051198943;
  const Objective objective = preset("coursera").objective;
  EXPECT_DOUBLE_EQ(objective.content_weight * content + objective.style_weight * style,
                   35.34667875478276);
}

TEST(Objective, RefusesWhatMakesNoSense) {
  const auto refuse = [](auto change) {
    Objective objective = preset("coursera").objective;
    change(objective);
    EXPECT_THROW(check(objective), Error);
  };
  refuse([](Objective& o) { o.content_weight = -1; });
  refuse([](Objective& o) { o.style_weight = std::nan(""); });
  refuse([](Objective& o) { o.style_layers = {{"conv6_1", 1}}; });
  refuse([](Objective& o) { o.style_layers.push_back({"conv1_1", 1}); });
  refuse([](Objective& o) { o.style_layers.clear(), o.content_layers.clear(); });
}

}  // namespace
}  // namespace impasto
