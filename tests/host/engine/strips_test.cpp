// SPDX-License-Identifier: MIT
// Pictures that several devices compute together: losses and gradients as on one.
#include <algorithm>
#include <gtest/gtest.h>
#include <set>
#include <utility>

#include "host/backend/communicators.hpp"
#include "host/engine/shared_stylization.hpp"
#include "host/engine/strip_steps.hpp"
#include "simt/error.hpp"
#include "tests/host/engine/parts.hpp"
#include "tests/support/made_up_nccl.hpp"

namespace impasto::strips_test {
namespace {

using kernels::PoolMode;
using kernels::PoolRounding;
using test::compute;
using test::Computed;
using test::config_with;
using test::difference;
using test::Pictures;
using test::random_image;
using test::same_weights;
using test::some_styles;

/// Devices of one backend: "simt" has several, on the others several threads use the processor.
class Devices {
 public:
  Devices(const std::string& name, int count, Precision precision = Precision::fp32) {
    for (int i = 0; i < count; ++i) {
      owned_.push_back(make_backend(name == "simt" ? fmt::format("simt:{}", i) : name, precision));
      all_.push_back(owned_.back().get());
    }
  }
  [[nodiscard]] std::span<Backend* const> all() const { return all_; }

 private:
  std::vector<std::unique_ptr<Backend>> owned_;
  std::vector<Backend*> all_;
};

/// What each of `count` devices gets.
std::vector<Computed> compute_strips(const char* name, const Config& config,
                                     const Pictures& pictures, int count,
                                     Precision precision = Precision::fp32) {
  const Devices devices(name, count, precision);
  RankGroup group(count);
  const auto communicators = communicators_through_host(group, devices.all());
  std::vector<Computed> results(static_cast<std::size_t>(count));
  group.run([&](int rank) {
    const auto r = static_cast<std::size_t>(rank);
    results[r] = compute(*devices.all()[r], config, pictures, {}, communicators[r].get());
  });
  return results;
}

void expect_same(const char* backend, const Config& config, const Pictures& pictures,
                 std::initializer_list<int> counts, double limit = 1e-6,
                 Precision precision = Precision::fp32) {
  const Computed whole = compute(backend, config, pictures, {}, precision);
  for (const int count : counts) {
    SCOPED_TRACE(count);
    const std::vector<Computed> all = compute_strips(backend, config, pictures, count, precision);
    EXPECT_EQ(all[0].tiles, count);
    test::expect_like(whole, all[0], limit);
    for (const Computed& other : all) {
      EXPECT_EQ(other.gradient, all[0].gradient);
      EXPECT_EQ(other.losses, all[0].losses);
      EXPECT_EQ(other.pixels, all[0].pixels);
      EXPECT_EQ(other.evaluated, all[0].evaluated);
    }
  }
}

class StripsOfPools : public testing::TestWithParam<PoolKind> {};

TEST_P(StripsOfPools, GiveTheLossesAndTheGradientOfTheWholePicture) {
  Config config = config_with({{"conv3_1", 1}}, some_styles);
  config.objective.pool = GetParam();
  for (const Pictures& pictures : {Pictures{}, Pictures{.height = 46, .width = 57, .count = 2}}) {
    SCOPED_TRACE(pictures.height);
    expect_same("cpu", config, pictures, {2, 3});
  }
}

INSTANTIATE_TEST_SUITE_P(All, StripsOfPools, testing::ValuesIn(test::every_pool));

TEST(Strips, OfFourDevicesAndOfOneGiveTheSame) {
  expect_same("cpu", config_with({{"conv2_2", 1}}, some_styles), {}, {1, 4});
}

TEST(Strips, GiveTheSameOfEverySetOfLayers) {
  for (Config config :
       {config_with({{"conv1_2", 1}}, {{"conv2_2", 1}, {"pool2", 0.5}}),
        config_with({{"conv2_2", 1}, {"pool1", 0.5}}, {}),
        config_with({}, {{"conv1_1", 1}, {"conv3_1", 1}}), config_with({{"conv1_1", 1}}, {})}) {
    config.objective.pool.mode = PoolMode::max;
    expect_same("cpu", config, {}, {3});
  }
}

TEST(Strips, GiveTheSameOfTheDeepestLayers) {
  const Config config =
      config_with({{"conv4_2", 1}},
                  {{"conv1_1", 1}, {"conv2_1", 1}, {"conv3_1", 1}, {"conv4_1", 1}, {"conv5_1", 1}});
  expect_same("cpu", config, {.height = 75, .width = 49, .style_height = 61}, {2, 4});
}

TEST(Strips, GiveTheSameBeforeTheReluAndWithTheBorderContinued) {
  Config config = config_with({{"conv3_2", 1}}, {{"conv1_1", 1}, {"conv2_2", 1}, {"conv3_1", 1}});
  config.objective["content"].before_relu = true;
  expect_same("cpu", config, {}, {3});
  config.objective["style"].before_relu = true;
  config.objective.padding = Padding::replicate;
  expect_same("cpu", config, {}, {3});
}

TEST(Strips, GiveTheSameOfStylesWithMasks) {
  Config config = config_with({{"conv2_1", 1}}, some_styles);
  config.objective.guided = true;
  expect_same("cpu", config, {}, {3});
}

TEST(Strips, GiveTheSameWhereTheLossesOfStylesAreAdded) {
  Config config = config_with({{"conv2_1", 1}}, some_styles);
  config.objective.several_styles = SeveralStyles::sum_of_losses;
  expect_same("cpu", config, {.count = 2}, {2});
}

TEST(Strips, GiveTheSameOfTheWassersteinLoss) {
  Config config = preset("style-transfer-pytorch");
  config.objective["content"].layers = {{"conv2_1", 1}};
  config.objective["style"].layers = some_styles;
  config.optimizer = AdamOptions{.learning_rate = 0};
  expect_same("cpu", config, {.count = 2}, {3}, 2e-5);
}

TEST(Strips, GiveTheSameOnDevicesOfTheHostSimtMachine) {
  const Config config = config_with({{"conv2_2", 1}}, {{"conv1_1", 1}, {"conv2_1", 1}});
  const Pictures small{
      .height = 21, .width = 23, .count = 2, .style_height = 19, .style_width = 17};
  expect_same("simt", config, small, {2, 3, 4});
  expect_same("simt", config, small, {2}, 1e-2, Precision::bf16);
}

TEST(Strips, GiveTheSameBitsByNccl) {
  Config config = config_with({{"conv3_1", 1}}, some_styles);
  config.optimizer = LbfgsOptions{.history = 2, .reach = 1};
  const std::vector<Computed> through_host = compute_strips("cpu", config, {.count = 2}, 3);
  const test::MadeUpNccl made_up;
  const cuda::Nccl functions = test::MadeUpNccl::functions();
  const Devices devices("cpu", 3);
  RankGroup group(3);
  const auto communicators = cuda::nccl_communicators(functions, group, devices.all());
  group.run([&](int rank) {
    const auto r = static_cast<std::size_t>(rank);
    const Computed own =
        compute(*devices.all()[r], config, {.count = 2}, {}, communicators[r].get());
    EXPECT_EQ(own.gradient, through_host[r].gradient);
    EXPECT_EQ(own.losses, through_host[r].losses);
    EXPECT_EQ(own.pixels, through_host[r].pixels);
  });
}

TEST(Strips, DivideTheMapsTheTargetOfTheContentAndTheStateOfTheOptimiser) {
  Config config = config_with({{"conv3_1", 1}}, some_styles);
  const Pictures large{.height = 120, .width = 80, .style_height = 110, .style_width = 80};
  const Computed whole = compute("cpu", config, large, {});
  std::size_t targets = 0;
  for (const Computed& one : compute_strips("cpu", config, large, 3)) {
    EXPECT_LT(one.arena, whole.arena / 2);
    targets += one.content_target;
  }
  EXPECT_EQ(targets, whole.content_target);
  for (const OptimizerSettings& optimizer :
       {OptimizerSettings(AdamOptions()), OptimizerSettings(LbfgsOptions{.history = 3})}) {
    config.optimizer = optimizer;
    const auto all = static_cast<double>(compute("cpu", config, large, {}).optimizer);
    double sum = 0;
    for (const Computed& one : compute_strips("cpu", config, large, 3)) {
      EXPECT_LT(static_cast<double>(one.optimizer), 0.4 * all);
      sum += static_cast<double>(one.optimizer);
    }
    EXPECT_NEAR(sum, all, 0.01 * all);
  }
}

TEST(Strips, ComputeTheWholeWhereThereAreTooFewRows) {
  const Config config = config_with({{"conv4_2", 1}}, some_styles);
  const Pictures low{.height = 23, .width = 40, .style_height = 20, .style_width = 20};
  const Computed whole = compute("cpu", config, low, {});
  for (const Computed& one : compute_strips("cpu", config, low, 3)) {
    EXPECT_EQ(one.tiles, 1U);
    EXPECT_LT(difference(one.gradient, whole.gradient), 1e-6);
  }
}

TEST(Strips, KeepDevicesTogetherThatConvolveDifferently) {
  // As GPUs do whose autotuners have chosen differently.
  const auto backends = list_backends();
  const auto cpu = std::ranges::find(backends, "cpu", &BackendEntry::name);
  if (std::ranges::count(cpu->precisions(), Precision::winograd) == 0) {
    GTEST_SKIP() << "this processor has no Winograd convolutions";
  }
  const Devices direct("cpu", 1);
  const Devices transformed("cpu", 1, Precision::winograd);
  const std::vector<Backend*> devices = {direct.all()[0], transformed.all()[0]};
  Config config = config_with({{"conv3_1", 1}}, some_styles);
  for (const bool guided : {false, true}) {
    config.objective.guided = guided;
    for (const std::int64_t height : {51, 7}) {
      SCOPED_TRACE(height);
      RankGroup group(2);
      const auto communicators = communicators_through_host(group, devices);
      std::vector<Computed> results(2);
      group.run([&](int rank) {
        const auto r = static_cast<std::size_t>(rank);
        results[r] = compute(*devices[r], config, {.height = height}, {}, communicators[r].get());
      });
      EXPECT_EQ(results[0].tiles, height == 7 ? 1 : 2);
      EXPECT_EQ(results[1].gradient, results[0].gradient);
      EXPECT_EQ(results[1].losses, results[0].losses);
      EXPECT_EQ(results[1].evaluated, results[0].evaluated);
    }
  }
}

TEST(Strips, AreUnevenAndHoldEachRowOnce) {
  const Network network(vgg19, {PoolMode::average, PoolRounding::down});
  const std::size_t deepest = vgg19.index("conv4_2");
  const Shape pixels{1, 75, 40, 3};
  for (const int ranks : {1, 2, 4, 9}) {
    for (std::size_t layer = 0; layer <= deepest; ++layer) {
      std::int64_t next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const auto tiling = Tiling::of_strip(network, pixels, deepest, rank, ranks);
        ASSERT_TRUE(tiling);
        const Area part = tiling->at(tiling->tiles().front(), layer);
        EXPECT_EQ(part.top, next);
        EXPECT_GT(part.height, 0);
        next = part.bottom();
        const StripRows rows = tiling->rows_at(layer);
        EXPECT_EQ(rows.above > 0, rank > 0);
        EXPECT_EQ(rows.below > 0, rank + 1 < ranks);
      }
      EXPECT_EQ(next, network.feature_shape(pixels, layer).height);
    }
  }
  EXPECT_FALSE(Tiling::of_strip(network, pixels, deepest, 0, 10));
}

TEST(Strips, HandTheirRowsOverWhereTheHaloIsUsedUp) {
  const Network network(vgg19, {PoolMode::average, PoolRounding::down});
  const std::size_t deepest = vgg19.index("conv5_1");
  const auto tiling = Tiling::of_strip(network, {1, 512, 64, 3}, deepest, 1, 4);
  ASSERT_TRUE(tiling);
  EXPECT_EQ(tiling->rows().above, 16);
  EXPECT_EQ(tiling->rows_at(deepest).below, 1);
  std::vector<std::string_view> layers;
  for (std::size_t layer = 0; layer <= deepest; ++layer) {
    if (tiling->hands_over(layer)) layers.push_back(vgg19[layer].name);
  }
  EXPECT_EQ(layers, (std::vector<std::string_view>{"conv3_2", "conv4_1", "conv4_3", "pool4"}));
}

/// Stylizations on one device and on several.
class SharedStylizationTest : public testing::Test {
 protected:
  static bool always(const Progress& /*progress*/) { return true; }

  [[nodiscard]] Stylized run(int count, const Checkpoints& checkpoints = {},
                             const Stylization::Report& report = always, const char* name = "cpu") {
    const Devices devices(name, count);
    SharedStylization stylization(devices.all(),
                                  same_weights(deepest_layer(config_.objective, vgg19)), config_,
                                  pixel_shape(contents_), shapes_of(styles_));
    return stylization.run(contents_, styles_, contents_, 1, report, checkpoints);
  }

  /// The checkpoints of a run that is stopped after so many iterations.
  std::vector<Checkpoint> stopped_after(std::int64_t iterations, int count,
                                        const char* name = "cpu") {
    std::vector<Checkpoint> kept;
    const Stylized stopped = run(
        count, {.keep = [&](std::vector<Checkpoint> made) { kept = std::move(made); }},
        [=](const Progress& progress) { return progress.iteration < iterations; }, name);
    EXPECT_EQ(stopped.ending, Ending::stopped);
    EXPECT_FALSE(kept.empty());
    return kept;
  }

  const std::vector<OptimizerSettings> every_optimizer = {AdamOptions{.learning_rate = 2},
                                                          LbfgsOptions{.history = 5, .reach = 1},
                                                          DescentOptions{.learning_rate = 1e-3}};

  Config config_ = [] {
    Config config = config_with({{"conv2_2", 1}}, {{"conv1_1", 1}, {"pool1", 0.5}});
    config.optimizer = AdamOptions{.learning_rate = 2};
    config.iterations = 10;
    return config;
  }();
  std::vector<Image> contents_ = {random_image(67, 71, 1)};
  std::vector<Style> styles_ = {{random_image(65, 66, 2), 1}};
};

TEST_F(SharedStylizationTest, GivesThePictureOfOneDeviceAndTheSameBitsAgain) {
  for (const OptimizerSettings& optimizer : every_optimizer) {
    config_.optimizer = optimizer;
    contents_ = {random_image(35, 31, 1)};
    styles_ = {{random_image(33, 34, 2), 1}};
    const Stylized whole = run(1);
    for (const int count : {2, 3, 4}) {
      const Stylized shared = run(count);
      EXPECT_EQ(shared.ending, Ending::finished);
      EXPECT_LT(difference(shared.pictures[0].rgb, whole.pictures[0].rgb), 1e-6)
          << count << " " << optimizer.index();
      if (count == 3) {
        EXPECT_EQ(run(count).pictures[0].rgb, shared.pictures[0].rgb);
      }
    }
  }
}

TEST_F(SharedStylizationTest, GivesThePicturesOfOneDeviceOnTheHostSimtMachine) {
  contents_ = {random_image(21, 23, 1), random_image(21, 23, 3)};
  styles_ = {{random_image(19, 17, 2), 1}};
  config_.iterations = 5;
  for (const OptimizerSettings& optimizer : every_optimizer) {
    config_.optimizer = optimizer;
    const Stylized whole = run(1, {}, always, "simt");
    for (const int count : {2, 3, 4}) {
      const Stylized shared = run(count, {}, always, "simt");
      for (std::size_t n = 0; n < 2; ++n) {
        EXPECT_LT(difference(shared.pictures[n].rgb, whole.pictures[n].rgb), 1e-6)
            << count << " " << optimizer.index();
      }
    }
  }
}

TEST_F(SharedStylizationTest, EndsWhereLbfgsOnOneDeviceDoes) {
  contents_ = {random_image(21, 23, 1)};
  styles_ = {{random_image(19, 17, 2), 1}};
  config_.iterations = 40;
  const std::vector<std::pair<LbfgsOptions, EndReason>> all = {
      {{.history = 5, .reach = 1, .tolerance_grad = 100}, EndReason::gradient},
      {{.history = 5, .unit = 0.3, .reach = 1, .tolerance_change = 1}, EndReason::step},
      {{.history = 5, .reach = 1, .tolerance_change = 2e5, .call_steps = 1}, EndReason::slope},
      // Where calls of several steps end, it evaluates again and goes on.
      {{.history = 5, .reach = 1, .tolerance_change = 2e5, .call_steps = 5}, EndReason::slope}};
  for (const char* name : {"cpu", "simt"}) {
    for (const auto& [options, reason] : all) {
      SCOPED_TRACE(testing::Message() << name << " " << static_cast<int>(reason));
      config_.optimizer = options;
      const Stylized whole = run(1, {}, always, name);
      const Stylized shared = run(3, {}, always, name);
      ASSERT_EQ(whole.early.size(), 1U);
      ASSERT_EQ(shared.early.size(), 1U);
      EXPECT_GT(whole.early[0].iteration, 5);
      EXPECT_EQ(shared.early[0].iteration, whole.early[0].iteration);
      EXPECT_EQ(whole.early[0].reason, reason);
      EXPECT_EQ(shared.early[0].reason, reason);
      EXPECT_LT(difference(shared.pictures[0].rgb, whole.pictures[0].rgb), 1e-4);
    }
  }
}

TEST_F(SharedStylizationTest, GoesThroughScalesWithEveryOptimiser) {
  config_.scales = {.count = 2};
  config_.iterations = 4;
  config_.average = 0.9;
  contents_ = {random_image(133, 141, 1)};
  styles_ = {{random_image(139, 130, 2), 1}};
  for (const OptimizerSettings& optimizer : every_optimizer) {
    config_.optimizer = optimizer;
    EXPECT_LT(difference(run(3).pictures[0].rgb, run(1).pictures[0].rgb), 1e-5);
  }
  config_.optimizer = AdamOptions{.learning_rate = 2};
  config_.pyramid_levels = 2;
  EXPECT_LT(difference(run(3).pictures[0].rgb, run(1).pictures[0].rgb), 1e-5);
  config_.decorrelated = true;
  EXPECT_LT(difference(run(3).pictures[0].rgb, run(1).pictures[0].rgb), 1e-5);
}

TEST_F(SharedStylizationTest, StopsOnAllDevicesAndGoesOnFromACheckpointInTheSameBits) {
  for (const OptimizerSettings& optimizer : every_optimizer) {
    config_.optimizer = optimizer;
    const Stylized whole = run(3);
    const std::vector<Checkpoint> kept = stopped_after(4, 3);
    EXPECT_EQ(run(3, {.from = kept}).pictures[0].rgb, whole.pictures[0].rgb);
  }
}

TEST_F(SharedStylizationTest, GoesOnOnOtherDevicesThanTheCheckpointIsOf) {
  contents_ = {random_image(21, 23, 11), random_image(21, 23, 13)};
  styles_ = {{random_image(19, 17, 2), 1}};
  for (const char* name : {"cpu", "reference"}) {
    for (const OptimizerSettings& optimizer : every_optimizer) {
      config_.optimizer = optimizer;
      const Stylized whole = run(1, {}, always, name);
      for (const auto& [from, to] : {std::pair(2, 3), std::pair(3, 1), std::pair(1, 2)}) {
        const std::vector<Checkpoint> kept = stopped_after(4, from, name);
        const Stylized resumed = run(to, {.from = kept}, always, name);
        for (std::size_t n = 0; n < 2; ++n) {
          EXPECT_LT(difference(resumed.pictures[n].rgb, whole.pictures[n].rgb), 1e-6)
              << name << " " << optimizer.index() << " " << from << " to " << to;
        }
      }
    }
  }
}

TEST_F(SharedStylizationTest, GoesOnOnOtherDevicesWithAPyramidWhoseTopAllOfThemHave) {
  config_.optimizer = AdamOptions{.learning_rate = 2};
  config_.pyramid_levels = 2;
  contents_ = {random_image(21, 23, 11)};
  styles_ = {{random_image(19, 17, 2), 1}};
  const Stylized whole = run(1);
  for (const auto& [from, to] : {std::pair(2, 3), std::pair(3, 1)}) {
    const std::vector<Checkpoint> kept = stopped_after(4, from);
    EXPECT_LT(difference(run(to, {.from = kept}).pictures[0].rgb, whole.pictures[0].rgb), 1e-6)
        << from << " to " << to;
  }
}

TEST_F(SharedStylizationTest, HasStripsOfARow) {
  config_ = config_with({{"conv1_1", 1}}, {{"conv1_1", 1}});
  config_.optimizer = LbfgsOptions{.history = 5, .reach = 1};
  config_.iterations = 10;
  contents_ = {random_image(4, 9, 1)};
  const Stylized whole = run(1);
  EXPECT_LT(difference(run(4).pictures[0].rgb, whole.pictures[0].rgb), 1e-6);
  const std::vector<Checkpoint> kept = stopped_after(4, 4);
  EXPECT_LT(difference(run(3, {.from = kept}).pictures[0].rgb, whole.pictures[0].rgb), 1e-6);
}

TEST_F(SharedStylizationTest, EndsWithTheErrorOfWhoeverReads) {
  const auto report = [](const Progress& progress) -> bool {
    if (progress.iteration < 3) return true;
    fail(ErrorKind::output, "the disk is full");
  };
  try {
    static_cast<void>(run(3, {}, report));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::output);
    EXPECT_STREQ(error.what(), "the disk is full");
  }
}

TEST_F(SharedStylizationTest, EndsWithTheErrorOfADevice) {
  contents_ = {random_image(24, 20, 1)};
  styles_ = {{random_image(20, 24, 2), 1}};
  config_.objective["content"].layers = {{"conv1_2", 1}};
  config_.iterations = 2;
  try {
    static_cast<void>(run(
        2, {},
        [](const Progress& progress) {
          if (progress.iteration == 1) simt::lose_device(1);
          return true;
        },
        "simt"));
    FAIL();
  } catch (const Error& error) {
    // It may be a call of the host's or a launch.
    EXPECT_NE(std::string(error.what()).find("as a test asked for"), std::string::npos)
        << error.what();
  }
  simt::fail_call(0);
}

TEST_F(SharedStylizationTest, RefusesWhatItCannotShare) {
  const auto refused = [&](const std::string& says) {
    try {
      static_cast<void>(run(2));
      ADD_FAILURE() << "not refused: " << says;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
    }
  };
  const Config plain = config_;
  config_.objective.octaves = 2;
  refused("style-octaves 2 cannot be computed on several devices");
  config_ = plain;
  config_.objective.normalize_gradients = true;
  refused("normalize-gradients");
  config_ = plain;
  config_.memory = 1U << 20U;
  refused("expected one device");
}

TEST_F(SharedStylizationTest, RefusesDevicesThatAreNotAlike) {
  const Devices fp32("cpu", 1);
  const Devices bf16("cpu", 1, Precision::bf16);
  const std::vector<Backend*> devices = {fp32.all()[0], bf16.all()[0]};
  EXPECT_THROW(static_cast<void>(estimate_memory(devices, vgg19, config_, pixel_shape(contents_),
                                                 shapes_of(styles_))),
               Error);
}

TEST_F(SharedStylizationTest, EstimatesWhatEachDeviceNeeds) {
  const Devices devices("cpu", 3);
  const auto estimates =
      estimate_memory(devices.all(), vgg19, config_, pixel_shape(contents_), shapes_of(styles_));
  const auto one = estimate_memory(*devices.all()[0], vgg19, config_, pixel_shape(contents_),
                                   shapes_of(styles_));
  ASSERT_EQ(estimates.size(), 3U);
  std::int64_t next = 0;
  for (const MemoryEstimate& estimate : estimates) {
    ASSERT_TRUE(estimate.strip);
    EXPECT_EQ(estimate.strip->top, next);
    next += estimate.strip->height;
    EXPECT_LT(estimate.arena, one.arena / 2);
    EXPECT_GT(estimate.recomputation.back(), 1);
  }
  EXPECT_EQ(next, 67);
  EXPECT_FALSE(one.strip);
}

TEST(RankGroup, EndsAllWithTheErrorOfTheFirst) {
  RankGroup group(3);
  for (int failing = 0; failing < 3; ++failing) {
    try {
      group.run([&](int rank) {
        group.meet();
        if (rank == failing) fail(ErrorKind::out_of_memory, "rank {}", rank);
        for (;;) group.meet();
      });
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::out_of_memory);
      EXPECT_EQ(error.what(), fmt::format("rank {}", failing));
    }
  }
  std::vector<int> seen(3);
  group.run(
      [&](int rank) { seen[static_cast<std::size_t>(rank)] = group.decide(rank, rank == 0); });
  EXPECT_EQ(seen, std::vector<int>(3, 1));
}

}  // namespace
}  // namespace impasto::strips_test
