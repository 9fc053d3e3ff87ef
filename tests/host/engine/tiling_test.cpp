// SPDX-License-Identifier: MIT
// Pictures that are computed in tiles: losses and gradients as without.
#include <gtest/gtest.h>

#include "host/backend/registry.hpp"
#include "host/engine/fitting_tiles.hpp"
#include "host/engine/stylization.hpp"
#include "tests/host/engine/parts.hpp"

namespace impasto::tiling_test {
namespace {

using kernels::PoolMode;
using kernels::PoolRounding;
using test::compute;
using test::Computed;
using test::config_with;
using test::difference;
using test::Pictures;
using test::random_image;
using test::random_weights;
using test::some_styles;

void expect_same(const char* backend, const Config& config, const Pictures& pictures,
                 const TileSize& tile, double limit = 1e-6, Precision precision = Precision::fp32) {
  const Computed whole = compute(backend, config, pictures, {}, precision);
  const Computed tiled = compute(backend, config, pictures, tile, precision);
  EXPECT_EQ(whole.tiles, 1U);
  EXPECT_GE(tiled.tiles, 4U);
  test::expect_like(whole, tiled, limit);
}

class TilingOfPools : public testing::TestWithParam<PoolKind> {};

TEST_P(TilingOfPools, GivesTheLossesAndTheGradientOfTheWholePicture) {
  Config config = config_with({{"conv3_1", 1}}, some_styles);
  config.objective.pool = GetParam();
  for (const Pictures& pictures : {Pictures{}, Pictures{.height = 46, .width = 57, .count = 2}}) {
    SCOPED_TRACE(pictures.height);
    expect_same("cpu", config, pictures, {20, 24});
  }
}

INSTANTIATE_TEST_SUITE_P(All, TilingOfPools, testing::ValuesIn(test::every_pool));

TEST(Tiling, GivesTheSameOfEverySetOfLayers) {
  for (const PoolMode mode : {PoolMode::average, PoolMode::max}) {
    for (Config config : {config_with({{"conv1_2", 1}}, {{"conv2_2", 1}, {"pool2", 0.5}}),
                          config_with({{"conv2_2", 1}, {"pool1", 0.5}}, {}),
                          config_with({}, {{"conv1_1", 1}, {"conv3_1", 1}}),
                          config_with({{"conv2_1", 1}}, some_styles)}) {
      config.objective.pool.mode = mode;
      expect_same("cpu", config, {}, {22, 32});
    }
  }
}

TEST(Tiling, GivesTheSameOfTheDeepestLayers) {
  // The halo of conv5_1 is 80 pixels: of two by two tiles of a picture this long, each has halos that end
  // within it.
  const Config config =
      config_with({{"conv4_2", 1}},
                  {{"conv1_1", 1}, {"conv2_1", 1}, {"conv3_1", 1}, {"conv4_1", 1}, {"conv5_1", 1}});
  expect_same("cpu", config, {.height = 50, .width = 203}, {32, 112});
}

TEST(Tiling, GivesTheSameBeforeTheReluAndWithTheBorderContinued) {
  Config config = config_with({{"conv2_2", 1}}, {{"conv1_1", 1}, {"conv2_1", 1}});
  config.objective["content"].before_relu = true;
  expect_same("cpu", config, {}, {26, 22});
  config.objective["style"].before_relu = true;
  config.objective.padding = Padding::replicate;
  expect_same("cpu", config, {}, {26, 22});
}

TEST(Tiling, GivesTheSameOfStylesWithMasks) {
  Config config = config_with({{"conv2_1", 1}}, some_styles);
  config.objective.guided = true;
  expect_same("cpu", config, {}, {26, 22});
  config.objective["style"].before_relu = true;
  expect_same("cpu", config, {}, {26, 22});
}

TEST(Tiling, GivesTheSameWhereTheLossesOfStylesAreAdded) {
  Config config = config_with({{"conv2_1", 1}}, some_styles);
  config.objective.several_styles = SeveralStyles::sum_of_losses;
  expect_same("cpu", config, {.count = 2}, {26, 22});
}

TEST(Tiling, GivesTheSameOfTheWassersteinLoss) {
  Config config = preset("style-transfer-pytorch");
  config.objective["content"].layers = {{"conv2_1", 1}};
  config.objective["style"].layers = some_styles;
  config.optimizer = AdamOptions{.learning_rate = 0};
  // Roots of matrices with small eigenvalues make more of the rounding of what they are taken of.
  expect_same("cpu", config, {.count = 2}, {26, 22}, 2e-5);
}

TEST(Tiling, GivesTheSameInDouble) {
  const Config config = config_with({{"conv2_2", 1}}, {{"conv1_1", 1}, {"conv2_1", 1}});
  expect_same("reference", config,
              {.height = 33, .width = 37, .style_height = 31, .style_width = 35}, {16, 16}, 1e-7);
}

TEST(Tiling, GivesTheSameOnADevice) {
  const Config config = config_with({{"conv2_1", 1}}, {{"conv1_1", 1}, {"conv2_1", 1}});
  const Pictures small{
      .height = 21, .width = 23, .count = 2, .style_height = 19, .style_width = 17};
  expect_same("simt", config, small, {10, 12});
  expect_same("simt", config, small, {10, 12}, 1e-2, Precision::bf16);
}

TEST(Tiling, GivesTheSameBitsWithAFile) {
  Config config = config_with({{"conv2_1", 1}, {"pool1", 0.5}}, {{"conv1_1", 1}, {"conv2_1", 1}});
  config.optimizer = AdamOptions{.learning_rate = 2};
  const Pictures small{
      .height = 21, .width = 23, .count = 2, .style_height = 19, .style_width = 17};
  struct Case {
    const char* backend;
    Precision precision;
  };
  for (const Case& one : {Case{"cpu", Precision::fp32}, Case{"cpu", Precision::bf16},
                          Case{"reference", Precision::fp32}, Case{"simt", Precision::fp16}}) {
    SCOPED_TRACE(one.backend);
    const auto backend = make_backend(one.backend, one.precision);
    const Computed held = compute(*backend, config, small, {10, 12});
    const Computed filed = compute(*backend, config, small, {10, 12}, nullptr, true);
    EXPECT_EQ(filed.evaluated, held.evaluated);
    EXPECT_EQ(filed.losses, held.losses);
    EXPECT_EQ(filed.gradient, held.gradient);
    EXPECT_EQ(filed.pixels, held.pixels);
    EXPECT_EQ(held.filed, 0U);
    EXPECT_GT(filed.filed, held.content_target);
    EXPECT_EQ(filed.content_target, 0U);
    EXPECT_LT(filed.optimizer, held.optimizer / 10);
  }
  const auto backend = make_backend("cpu", Precision::fp32);
  EXPECT_EQ(compute(*backend, config, small, {}, nullptr, true).filed, 0U);  // without tiles
}

TEST(Tiling, KeepsFewerMapsAtOnce) {
  const Config config = config_with({{"conv3_1", 1}}, some_styles);
  const Pictures large{.height = 120, .width = 120, .style_height = 110, .style_width = 120};
  EXPECT_LT(compute("cpu", config, large, {40, 40}).arena,
            compute("cpu", config, large, {}).arena / 2);
}

TEST(Tiling, CutsEachPixelAndEachValueOfAMapOnce) {
  const Network network(vgg19, {PoolMode::average, PoolRounding::down});
  for (const Shape& pixels : {Shape{1, 75, 91, 3}, Shape{1, 97, 64, 3}, Shape{1, 129, 300, 3}}) {
    const std::size_t deepest = vgg19.index("conv4_2");
    const Tiling tiling(network, pixels, deepest, {40, 33});
    EXPECT_GT(tiling.tiles().size(), 2U);
    for (std::size_t layer = 0; layer <= deepest; ++layer) {
      const Shape map = network.feature_shape(pixels, layer);
      std::vector<int> owners(static_cast<std::size_t>(map.pixels()));
      for (const Area& own : tiling.tiles()) {
        const Area part = tiling.at(own, layer);
        EXPECT_GT(part.pixels(), 0);
        for (std::int64_t i = 0; i < part.pixels(); ++i) {
          const std::int64_t row = part.top + i / part.width;
          ++owners[static_cast<std::size_t>(row * map.width + part.left + i % part.width)];
        }
      }
      EXPECT_TRUE(std::ranges::all_of(owners, [](int count) { return count == 1; }));
    }
  }
  const Tiling tiling(network, {1, 512, 512, 3}, vgg19.index("conv4_2"), {256, 256});
  EXPECT_EQ(tiling.halo(vgg19.index("conv4_2")), 40);  // 38, rounded up to the stride of 8
  EXPECT_EQ(tiling.halo(vgg19.index("conv1_2")), 8);
}

/// Stylizations within an amount of memory.
class TiledStylization : public testing::Test {
 protected:
  TiledStylization() {
    config_.iterations = 4;
    config_.scales = {.count = 2};
  }

  [[nodiscard]] MemoryEstimate estimate(std::size_t memory) {
    config_.memory = memory;
    return estimate_memory(*backend_, vgg19, config_, pixel_shape(contents_), shapes_of(styles_));
  }

  [[nodiscard]] Stylized run(
      std::size_t memory, const Checkpoints& checkpoints = {},
      const Stylization::Report& report = [](const Progress&) { return true; }) {
    config_.memory = memory;
    Session session(*backend_, random_weights(deepest_layer(config_.objective, vgg19)),
                    config_.objective);
    Stylization stylization(session, config_, pixel_shape(contents_), shapes_of(styles_));
    return stylization.run(contents_, styles_, contents_, 1, report, checkpoints);
  }

  /// An amount for which not even small tiles do without a file.
  [[nodiscard]] std::size_t memory_with_file() {
    std::size_t memory = estimate(0).total() / 2;
    while (estimate(memory).filed == 0 && memory > 0) memory = memory / 10 * 9;
    return memory;
  }

  void expect_same_from_checkpoint(std::size_t memory) {
    const Stylized whole = run(memory);
    std::vector<Checkpoint> kept;
    const Stylized stopped =
        run(memory, {.keep = [&](std::vector<Checkpoint> made) { kept = std::move(made); }},
            [](const Progress& progress) { return progress.iteration < 3; });
    EXPECT_EQ(stopped.ending, Ending::stopped);
    ASSERT_FALSE(kept.empty());
    EXPECT_EQ(run(memory, {.from = kept}).pictures[0].rgb, whole.pictures[0].rgb);
  }

  std::unique_ptr<Backend> backend_ = make_backend("cpu", Precision::fp32);
  Config config_ = [] {
    Config config = config_with({{"conv2_1", 1}}, {{"conv1_1", 1}, {"pool1", 0.5}});
    config.optimizer = AdamOptions{.learning_rate = 2};
    return config;
  }();
  std::vector<Image> contents_ = {random_image(133, 141, 1)};
  std::vector<Style> styles_ = {{random_image(139, 130, 2), 1}};
};

TEST_F(TiledStylization, FitsIntoTheMemoryThatItIsGiven) {
  const std::size_t whole = estimate(0).total();
  EXPECT_EQ(estimate(whole).total(), whole);
  EXPECT_FALSE(estimate(whole).tiles);
  for (const std::size_t memory : {whole - 1, whole * 2 / 3, whole / 2}) {
    const MemoryEstimate tiled = estimate(memory);
    ASSERT_TRUE(tiled.tiles);
    EXPECT_TRUE(tiled.shortage.empty());
    EXPECT_LE(tiled.total(), memory);
    EXPECT_GT(tiled.recomputation.back(), 1);
  }
}

TEST_F(TiledStylization, LeavesToAFileWhatItHasNoRoomFor) {
  const std::size_t memory = memory_with_file();
  const MemoryEstimate filed = estimate(memory);
  EXPECT_TRUE(filed.shortage.empty());
  EXPECT_LE(filed.total(), memory);
  const Stylized expected = run(0);
  const Stylized found = run(memory);
  EXPECT_EQ(found.ending, Ending::finished);
  EXPECT_LT(difference(found.pictures[0].rgb, expected.pictures[0].rgb), 1e-4);
  EXPECT_EQ(run(memory).pictures[0].rgb, found.pictures[0].rgb);
}

TEST_F(TiledStylization, LeavesNoFileWhereItIsNotNeeded) {
  EXPECT_EQ(estimate(0).filed, 0U);
  EXPECT_EQ(estimate(estimate(0).total() * 2 / 3).filed, 0U);
}

TEST_F(TiledStylization, ShowsTheBestPictureAndTheMeanOfAFile) {
  const std::size_t memory = memory_with_file();
  config_.average = 0.5;
  const Stylized expected = run(0);
  EXPECT_LT(difference(run(memory).pictures[0].rgb, expected.pictures[0].rgb), 1e-4);
  // Steps so large that the loss rises: the result is the best picture.
  config_.average = 0;
  config_.box = Box::end;
  config_.optimizer = AdamOptions{.learning_rate = 200};
  const Stylized rose = run(memory);
  ASSERT_TRUE(rose.courses[0].rose);
  const Stylized whole = run(0);
  EXPECT_EQ(rose.courses[0].best.iteration, whole.courses[0].best.iteration);
  EXPECT_LT(difference(rose.pictures[0].rgb, whole.pictures[0].rgb), 1e-3);
}

TEST_F(TiledStylization, SaysTheMemoryByWhichTilesFit) {
  const Network network(vgg19, config_.objective.pool);
  const Plan whole(network, config_, pixel_shape(contents_), DataType::f32, DataType::f32,
                   shapes_of(styles_));
  const std::size_t room = whole.bytes() / 2;
  const std::string shortage = whole.shortage(room);
  const std::size_t at = shortage.find("--memory ");
  ASSERT_NE(at, std::string::npos) << shortage;
  EXPECT_NE(shortage.find("pixels would fit"), std::string::npos) << shortage;
  const MemoryEstimate tiled = estimate(std::stoul(shortage.substr(at + 9)) << 20U);
  EXPECT_TRUE(tiled.shortage.empty());
  EXPECT_TRUE(tiled.tiles);
  EXPECT_LE(tiled.total() - tiled.weights, room);
  EXPECT_EQ(whole.shortage(1U << 20U).find("--memory"), std::string::npos);
  config_.objective.normalize_gradients = true;
  const Plan alone(network, config_, pixel_shape(contents_), DataType::f32, DataType::f32,
                   shapes_of(styles_));
  EXPECT_EQ(alone.shortage(room).find("--memory"), std::string::npos);
}

TEST_F(TiledStylization, SaysTheLongestSideInTheSameTiles) {
  const Network network(vgg19, config_.objective.pool);
  const auto plan = [&](std::int64_t side) {
    return Plan(network, config_, {1, side, side, 3}, DataType::f32, DataType::f32, {}, {64, 64})
        .bytes();
  };
  const std::size_t room = plan(400);
  const Plan large(network, config_, {1, 800, 800, 3}, DataType::f32, DataType::f32, {}, {64, 64});
  const std::string shortage = large.shortage(room);
  EXPECT_NE(shortage.find("a longer side of 400 pixels"), std::string::npos) << shortage;
  EXPECT_GT(plan(416), room);
}

TEST_F(TiledStylization, SaysTheLeastMemory) {
  const std::string shortage = estimate(1U << 20U).shortage;
  const std::size_t at = shortage.find("needs ");
  ASSERT_NE(at, std::string::npos) << shortage;
  const std::size_t least = std::stoul(shortage.substr(at + 6)) << 20U;
  EXPECT_TRUE(estimate(least).shortage.empty());
  EXPECT_FALSE(estimate(least - (2U << 20U)).shortage.empty());
  EXPECT_THROW(static_cast<void>(run(1U << 20U)), Error);
}

TEST_F(TiledStylization, SaysTheLeastMemoryWhereTheHaloIsWiderThanTheTile) {
  config_ = config_with({{"conv4_2", 1}}, {{"conv5_1", 1}});
  const std::size_t whole = estimate(0).total();
  const std::string shortage = estimate(1U << 20U).shortage;
  const std::size_t at = shortage.find("needs ");
  ASSERT_NE(at, std::string::npos) << shortage;
  const std::size_t least = std::stoul(shortage.substr(at + 6));
  EXPECT_LE(least, (whole >> 20U) + 1);
  EXPECT_TRUE(estimate(least << 20U).shortage.empty());
}

TEST_F(TiledStylization, SaysTheTilesOfTheLargestScaleWhicheverTakesMost) {
  config_.scales = {.count = 2, .ratio = 1.1};
  const std::size_t whole = estimate(0).total();
  for (int i = 10; i <= 20; ++i) {
    const MemoryEstimate any = estimate(whole * static_cast<std::size_t>(i) / 20);
    EXPECT_EQ(any.tiles.has_value(), any.recomputation.back() > 1) << i;
  }
}

TEST_F(TiledStylization, GivesNearlyTheSamePictureAndTheSameBitsWhereThereAreNoTiles) {
  const std::size_t whole = estimate(0).total();
  const Stylized expected = run(0);
  EXPECT_EQ(run(whole).pictures[0].rgb, expected.pictures[0].rgb);
  const Stylized tiled = run(whole / 2);
  EXPECT_EQ(tiled.ending, Ending::finished);
  EXPECT_LT(difference(tiled.pictures[0].rgb, expected.pictures[0].rgb), 1e-4);
  EXPECT_EQ(run(whole / 2).pictures[0].rgb, tiled.pictures[0].rgb);
}

TEST_F(TiledStylization, GoesOnFromACheckpointInTheSameBits) {
  expect_same_from_checkpoint(estimate(0).total() / 2);
}

TEST_F(TiledStylization, GoesOnFromACheckpointOfAFileInTheSameBits) {
  expect_same_from_checkpoint(memory_with_file());
}

TEST_F(TiledStylization, RefusesWhatHasToSeeTheWholePicture) {
  const std::size_t memory = estimate(0).total() / 2;
  const auto refused = [&](const std::string& says) {
    try {
      static_cast<void>(estimate(memory));
      ADD_FAILURE() << "not refused: " << says;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
    }
  };
  const Config plain = config_;
  config_.objective.octaves = 2;
  refused("style-octaves");
  config_ = plain;
  config_.objective.normalize_gradients = true;
  refused("normalize-gradients");
  config_ = plain;
  config_.objective.losses.push_back(
      StatisticsLoss{{.name = "statistics", .layers = {{"conv2_1", 1}}}, {.channel_power = 1}});
  refused("the statistics loss on conv2_1");
}

}  // namespace
}  // namespace impasto::tiling_test
