// SPDX-License-Identifier: MIT
#include <cstdint>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <impasto.hpp>
#include <vector>

namespace impasto::engine_test {
namespace {

using testing::HasSubstr;

/// Shared: making the built-in network takes longer than using it.
Engine& shared_engine() {
  static Engine engine({.backend = "cpu"});
  return engine;
}

Config small_config() {
  Config config = preset("impasto");
  config.iterations = 3;
  config.average = 0;  // a Stylizer shows its last picture
  return config;
}

std::vector<Style> painting() { return {{draw_sample("painting", 64)}}; }

ErrorKind kind_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::internal;
}

TEST(Engine, StylizesAsAStylizerDoesStepByStep) {
  const Config config = small_config();
  const std::vector<Image> content = {draw_sample("scene", 64)};
  const Stylized stylized = shared_engine().stylize(config, content.front(), painting());
  ASSERT_EQ(stylized.ending, Ending::finished);
  EXPECT_EQ(stylized.iterations, 3);

  const std::vector<Image> initial = {make_initial(config, content.front(), painting())};
  Stylizer stylizer(*shared_engine().session(config.objective), config, content, painting(),
                    initial);
  for (int i = 0; i < 3; ++i) stylizer.step();
  EXPECT_EQ(stylized.pictures.front().rgb, stylizer.image().rgb);
}

TEST(Engine, ReportsEveryIterationAndStopsWhenToldTo) {
  std::vector<std::int64_t> reported;
  const Stylized stylized = shared_engine().stylize(small_config(), draw_sample("scene", 64),
                                                    painting(), [&](const Progress& at) {
                                                      reported.push_back(at.iteration);
                                                      return at.iteration < 1;
                                                    });
  EXPECT_EQ(stylized.ending, Ending::stopped);
  EXPECT_EQ(reported, (std::vector<std::int64_t>{0, 1}));
}

TEST(Engine, StartsFromThePictureThatItIsGiven) {
  Config config = small_config();
  config.iterations = 1;
  const Image content = draw_sample("scene", 64);
  Image start = draw_sample("painting", 64);
  Image first;
  shared_engine().stylize(
      config, content, painting(),
      [&](const Progress& at) {
        if (at.iteration == 0) first = at.picture(0);
        return true;
      },
      &start);
  EXPECT_EQ(first.rgb, start.rgb);
}

TEST(Engine, ScoresTheContentItselfWithoutContentLoss) {
  const Image content = draw_sample("scene", 64);
  const Losses losses = shared_engine().score(small_config(), content, content, painting());
  EXPECT_EQ(losses["content"].value, 0);
  EXPECT_GT(losses["style"].value, 0);
}

TEST(Engine, LoadsTheNetworkAgainForADeeperLayerAnotherPoolingOrPaddingOnly) {
  Engine engine({.backend = "cpu"});
  const Image image = draw_sample("scene", 64);
  const Activation shallow = engine.activation(image, "conv1_1");
  const PoolKind average;
  const auto first = engine.session(average, "conv1_1");
  const Activation deep = engine.activation(image, "conv2_1");
  EXPECT_EQ(deep.channels, 128);
  EXPECT_EQ(deep.height, 24);
  const auto second = engine.session(average, "conv1_1");
  EXPECT_NE(second, first);
  EXPECT_EQ(engine.activation(image, "conv1_1").values, shallow.values);
  EXPECT_EQ(engine.session(average, "conv1_1"), second);
  Objective objective = preset("gatys").objective;
  objective.pool = average;
  objective["content"].layers = objective["style"].layers = {{"conv1_1", 1}};
  EXPECT_EQ(engine.session(objective), second);
  objective.padding = Padding::replicate;
  const auto padded = engine.session(objective);
  EXPECT_NE(padded, second);
  EXPECT_NE(engine.session({kernels::PoolMode::max, average.rounding}, "conv1_1"), padded);
}

TEST(Engine, RefusesWhatIsNotThere) {
  EXPECT_EQ(kind_of([] { Engine({.backend = "nowhere"}); }), ErrorKind::usage);
  EXPECT_EQ(kind_of([] { draw_sample("sunset", 64); }), ErrorKind::usage);
  try {
    Engine({.backend = "cpu", .weights = "missing.h5"});
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::weights);
    EXPECT_THAT(error.what(), HasSubstr("missing.h5"));
  }
}

}  // namespace
}  // namespace impasto::engine_test
