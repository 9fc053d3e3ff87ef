// SPDX-License-Identifier: MIT
#include "host/engine/config.hpp"

#include <gtest/gtest.h>

#include "host/api/engine.hpp"
#include "host/core/error.hpp"

namespace impasto::config_test {
namespace {

TEST(Preset, EveryNameGivesAnObjectiveThatMakesSense) {
  for (const std::string& name : preset_names()) {
    const Config config = preset(name);
    EXPECT_EQ(config.preset, name);
    EXPECT_NO_THROW(check(config.objective, vgg19));
  }
}

TEST(Preset, AnUnknownNameIsAUsageError) { EXPECT_THROW(preset("monet"), Error); }

TEST(Preset, CourseraScalesAreTheAssignments) {
  const Objective objective = preset("coursera").objective;
  const double c = 512;
  const double p = 38 * 50;
  const Shape map{1, 38, 50, 512};
  const auto& content = std::get<ContentLoss>(objective.losses[0]);
  EXPECT_DOUBLE_EQ(content.scale.at(map), 1 / (4 * c * p));
  const auto& style = std::get<GramLoss>(objective.losses[1]);
  const double gram = style.gram_scale.at(map);
  EXPECT_DOUBLE_EQ(gram * gram * style.style_scale.at(map), 1 / (4 * c * c * p * p));
}

TEST(Preset, SuitsTheNetworksPixels) {
  NetworkTraits network;
  EXPECT_EQ(preset_for(network), "impasto");
  network.deviation = {58.395F, 57.12F, 57.375F};
  EXPECT_EQ(preset_for(network), "trained");
}

TEST(Preset, OfEveryNameSuitsOneKindOfNetwork) {
  const NetworkTraits plain;
  NetworkTraits divided;
  divided.deviation = {58.395F, 57.12F, 57.375F};
  for (const std::string& name : preset_names()) {
    EXPECT_NE(suits(name, plain), suits(name, divided)) << name;
  }
  EXPECT_TRUE(suits("gatys", plain));
  EXPECT_TRUE(suits("pytorch-tutorial", divided));
}

TEST(Preset, LetsANetworkPoolAsItWasTrainedUnlessItKeepsItsOwn) {
  NetworkTraits network;
  EXPECT_EQ(pool_for(network, preset("gatys")).mode, kernels::PoolMode::max);
  network.pool.mode = kernels::PoolMode::max_blur;
  EXPECT_EQ(pool_for(network, preset("gatys")).mode, kernels::PoolMode::max_blur);
  EXPECT_EQ(pool_for(network, preset("trained")).mode, kernels::PoolMode::average);
}

TEST(Preset, GatysScalesAreTheNotebooks) {
  const Config config = preset("gatys");
  const auto& style = std::get<GramLoss>(config.objective.losses[1]);
  for (const LayerWeight& layer : style.layers) {
    const auto C = static_cast<double>(vgg19[vgg19.index(layer.layer)].out_channels);
    const Shape map{1, 10, 20, static_cast<std::int64_t>(C)};
    EXPECT_DOUBLE_EQ(style.gram_scale.at(map), 1.0 / 200);
    // nn.MSELoss is a mean over the C² entries; its weight is 1e3 / C².
    EXPECT_DOUBLE_EQ(layer.weight * style.style_scale.at(map), 1e3 / (C * C) / (C * C));
  }
  EXPECT_TRUE(std::holds_alternative<LbfgsOptions>(config.optimizer));
}

TEST(Preset, CourseraTotalIsTheAssignments) {
  // The assignment's test of total_cost: J_content and J_style are the first two normal numbers of
  // NumPy's generator seeded with 3, and J is published.
  const double content = 1.7886284734303186;
  const double style = 0.43650985051198943;
  const Objective objective = preset("coursera").objective;
  EXPECT_DOUBLE_EQ(objective["content"].weight * content + objective["style"].weight * style,
                   35.34667875478276);
}

TEST(Objective, RefusesWhatMakesNoSense) {
  const auto refuse = [](auto change) {
    Objective objective = preset("coursera").objective;
    change(objective);
    EXPECT_THROW(check(objective, vgg19), Error);
  };
  refuse([](Objective& o) { o["content"].weight = -1; });
  refuse([](Objective& o) { o["style"].weight = std::nan(""); });
  refuse([](Objective& o) { o["style"].layers = {{"conv6_1", 1}}; });
  refuse([](Objective& o) { o["style"].layers.push_back({"conv1_1", 1}); });
  refuse([](Objective& o) { o["style"].layers.clear(), o["content"].layers.clear(); });
}

}  // namespace
}  // namespace impasto::config_test
