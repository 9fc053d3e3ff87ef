// SPDX-License-Identifier: MIT
#include "host/engine/stylization.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

#include "host/backend/registry.hpp"
#include "host/engine/initial.hpp"
#include "tests/support/toy_network.hpp"

namespace impasto::stylization_test {
namespace {

using test::random_image;
using test::random_weights;

std::vector<std::int64_t> sides(const std::vector<Scale>& scales) {
  std::vector<std::int64_t> sides;
  for (const Scale& scale : scales) sides.push_back(scale.pixels.width);
  return sides;
}

std::vector<std::int64_t> iterations(const std::vector<Scale>& scales) {
  std::vector<std::int64_t> counts;
  for (const Scale& scale : scales) counts.push_back(scale.iterations);
  return counts;
}

TEST(Scales, GrowByTheirRatioAndEndAtTheResultsShape) {
  Config config = preset("coursera");
  config.scales = {.count = 3, .ratio = 2, .iteration_ratio = 0.5};
  config.iterations = 70;
  const std::vector<Shape> styles = {{1, 390, 401, 3}};
  const std::vector<Scale> scales = make_scales(config, {2, 384, 512, 3}, styles);
  EXPECT_EQ(sides(scales), (std::vector<std::int64_t>{128, 256, 512}));
  EXPECT_EQ(iterations(scales), (std::vector<std::int64_t>{40, 20, 10}));
  EXPECT_EQ(to_string(scales[0].pixels), "2×96×128×3");
  EXPECT_EQ(to_string(scales[1].styles[0]), "1×195×201×3");
  EXPECT_EQ(to_string(scales[2].styles[0]), "1×390×401×3");
}

TEST(Scales, ShareEveryIterationAndEachHasOne) {
  Config config = preset("coursera");
  for (const double ratio : {1.0, 0.6, 0.5, 0.25}) {
    for (const std::int64_t count : {1, 2, 5, 8}) {
      config.scales = {.count = count, .ratio = 1.4, .iteration_ratio = ratio};
      for (const std::int64_t total : {1, 2, 3, 4, 5, 8, 11, 100}) {
        config.iterations = total;
        const std::vector<std::int64_t> counts =
            iterations(make_scales(config, {1, 1100, 1200, 3}, {}));
        EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}), total);
        EXPECT_EQ(static_cast<std::int64_t>(counts.size()), std::min(count, total));
        for (const std::int64_t one : counts) EXPECT_GE(one, 1);
      }
    }
  }
}

TEST(Scales, AreLeftOutWhereAPictureOrAStyleWouldBeTooSmall) {
  Config config = preset("coursera");
  config.scales.count = 4;
  EXPECT_EQ(sides(make_scales(config, {1, 192, 256, 3}, {})),
            (std::vector<std::int64_t>{128, 256}));
  EXPECT_EQ(sides(make_scales(config, {1, 40, 50, 3}, {})), (std::vector<std::int64_t>{50}));
  const std::vector<Shape> narrow = {{1, 512, 70, 3}};
  EXPECT_EQ(sides(make_scales(config, {1, 512, 512, 3}, narrow)), (std::vector<std::int64_t>{512}));
}

/// A stylization of one shallow layer.
class StylizationTest : public testing::Test {
 protected:
  StylizationTest()
      : backend_(make_backend("cpu", Precision::fp32)),
        config_(preset("coursera")),
        session_(*backend_, random_weights(0), config_.objective.pool, 0) {
    config_.objective["content"].layers = {{"conv1_1", 1}};
    config_.objective["style"].layers = {{"conv1_1", 1}};
    config_.objective["tv"].weight = 1;
    config_.init = Init::content;
  }

  Stylization stylization() {
    return {session_, config_, pixel_shape(contents_), shapes_of(styles_)};
  }

  Stylized run(Stylization& stylization, const Stylization::Report& report) {
    return stylization.run(contents_, styles_, contents_, 1, report);
  }

  /// What a run leaves that is interrupted at this iteration.
  Checkpoints stopped_at(Stylization& stylization, std::int64_t iteration) {
    Checkpoints checkpoints;
    checkpoints.keep = [&](std::vector<Checkpoint> made) { checkpoints.from = std::move(made); };
    (void)stylization.run(
        contents_, styles_, contents_, 1,
        [&](const Progress& progress) { return progress.iteration < iteration; }, checkpoints);
    checkpoints.keep = {};
    return checkpoints;
  }

  std::unique_ptr<Backend> backend_;
  Config config_;
  Session session_;
  std::vector<Image> contents_ = {random_image(192, 208, 1), random_image(192, 208, 2)};
  std::vector<Style> styles_ = {{random_image(200, 194, 3), 1}};
};

bool go_on(const Progress& /*progress*/) { return true; }

TEST_F(StylizationTest, AtOneScaleDoesTheStepsOfAStylizer) {
  config_.iterations = 4;
  config_.optimizer = AdamOptions{.learning_rate = 0.1};
  Stylization stylization = this->stylization();
  std::vector<double> losses;
  const Stylized result = run(stylization, [&](const Progress& progress) {
    losses.push_back(progress.losses[1].total);
    return true;
  });
  Stylizer stylizer(session_, config_, contents_, styles_, contents_);
  ASSERT_EQ(losses.size(), 5U);
  for (std::size_t k = 0; k < losses.size(); ++k) {
    if (k > 0) stylizer.step();
    EXPECT_EQ(losses[k], stylizer.evaluate()[1].total);
  }
  EXPECT_FALSE(result.courses[1].rose);
  EXPECT_EQ(result.pictures[1].rgb, stylizer.image(1).rgb);
  EXPECT_EQ(result.courses[1].first.losses.total, losses.front());
  EXPECT_EQ(result.courses[1].last.losses.total, losses.back());
}

TEST_F(StylizationTest, StaysNearAnAnchorWhereItsMaskSaysSo) {
  config_.iterations = 20;
  config_.scales.count = 2;
  config_.optimizer = AdamOptions{.learning_rate = 2};
  // Smooth, so that the coarse scale leaves them as they are.
  for (Image& content : contents_) {
    for (std::size_t i = 0; i < content.rgb.size(); ++i) {
      content.rgb[i] = 60 + 0.5F * static_cast<float>(i / 3 % 208);
    }
  }
  config_.objective.losses.push_back(TemporalLoss{
      {.name = "temporal", .weight = 1e6}, {.factor = 1, .channel_power = 1, .pixel_power = 1}});
  Stylization stylization = this->stylization();
  std::vector<Anchor> anchors;
  for (const Image& content : contents_) {
    anchors.push_back({content, {192, 208, std::vector<float>(192 * 208, 0)}});
  }
  // The left half of the second picture alone.
  for (std::size_t i = 0; i < 192 * 208; ++i) anchors[1].mask.values[i] = i % 208 < 104 ? 1 : 0;
  const Stylized held = stylization.run(contents_, styles_, contents_, 1, go_on, {}, anchors);
  const auto moved = [&](std::size_t n, std::size_t from, std::size_t to) {
    double sum = 0;
    for (std::size_t i = 0; i < contents_[n].rgb.size(); ++i) {
      const std::size_t x = i / 3 % 208;
      if (x < from || x >= to) continue;
      sum += static_cast<double>(std::abs(held.pictures[n].rgb[i] - contents_[n].rgb[i]));
    }
    return sum / static_cast<double>(192 * (to - from) * 3);
  };
  EXPECT_GT(moved(0, 0, 104), 3 * moved(1, 0, 104));
  EXPECT_GT(moved(1, 104, 208), 3 * moved(1, 0, 104));
  // A run without anchors is one whose masks are 0.
  const Stylized free = run(stylization, go_on);
  EXPECT_EQ(free.pictures[0].rgb, held.pictures[0].rgb);
  EXPECT_NE(free.pictures[1].rgb, held.pictures[1].rgb);
  EXPECT_EQ(free.courses[1].last.losses["temporal"].value, 0);
}

TEST_F(StylizationTest, ReportsEveryIterationOnceAndPicturesOfTheResultsSize) {
  config_.iterations = 9;
  config_.scales = {.count = 2, .ratio = 2, .iteration_ratio = 0.5};
  Stylization stylization = this->stylization();
  std::vector<std::int64_t> reported;
  std::vector<std::int64_t> sizes;
  double work = -1;
  const Stylized result = run(stylization, [&](const Progress& progress) {
    reported.push_back(progress.iteration);
    sizes.push_back(progress.size);
    EXPECT_GT(progress.work, work);
    work = progress.work;
    EXPECT_EQ(progress.picture(1).width, 208);
    return true;
  });
  EXPECT_EQ(reported, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(sizes, (std::vector<std::int64_t>{104, 104, 104, 104, 104, 104, 208, 208, 208, 208}));
  EXPECT_DOUBLE_EQ(work, 1);
  EXPECT_EQ(result.ending, Ending::finished);
  EXPECT_EQ(result.iterations, 9);
  EXPECT_EQ(result.courses[0].first.iteration, 6);
  EXPECT_EQ(result.pictures[1].height, 192);
}

TEST_F(StylizationTest, AFinerScaleStartsFromTheResultOfTheCoarser) {
  config_.iterations = 3;
  config_.scales = {.count = 2, .ratio = 2, .iteration_ratio = 0.5};
  config_.optimizer = AdamOptions{.learning_rate = 0};
  Stylization stylization = this->stylization();
  const Image blurred = run(stylization, go_on).pictures[0];
  EXPECT_NE(blurred.rgb, contents_[0].rgb);  // it went through the coarse scale
  config_.scales.count = 1;
  Stylization direct = this->stylization();
  EXPECT_EQ(run(direct, go_on).pictures[0].rgb, contents_[0].rgb);
}

TEST_F(StylizationTest, AFinerScaleAddsTheDetailThatTheCoarserCouldNotShow) {
  config_.iterations = 2;
  config_.scales = {.count = 2, .detail = 1};
  config_.optimizer = AdamOptions{.learning_rate = 0};
  // A picture that nothing moves keeps all of its detail.
  Stylization stylization = this->stylization();
  const Image kept = run(stylization, go_on).pictures[1];
  for (std::size_t i = 0; i < kept.rgb.size(); ++i) {
    ASSERT_NEAR(kept.rgb[i], contents_[1].rgb[i], 1e-3);
  }
  const auto with = [&](double detail) {
    config_.scales.detail = detail;
    Stylization some = this->stylization();
    return run(some, go_on).pictures[1].rgb;
  };
  const std::vector<float> none = with(0);
  const std::vector<float> half = with(0.5);
  EXPECT_NE(none, contents_[1].rgb);
  for (std::size_t i = 0; i < none.size(); ++i) {
    ASSERT_NEAR(half[i], (none[i] + contents_[1].rgb[i]) / 2, 1e-3);
  }
}

TEST_F(StylizationTest, AFinerScaleTakesStepsThatAreSmallerByTheRatio) {
  config_.iterations = 2;  // one at each scale
  config_.scales = {.count = 2};
  const auto moved = [&](double step_ratio) {
    config_.optimizer = AdamOptions{.learning_rate = 4};
    config_.scales.step_ratio = step_ratio;
    Stylization stylization = this->stylization();
    return run(stylization, go_on).pictures[0].rgb;
  };
  const std::vector<float> start = moved(0);
  const std::vector<float> whole = moved(1);
  const std::vector<float> half = moved(0.5);
  EXPECT_NE(whole, start);
  for (std::size_t i = 0; i < start.size(); ++i) {
    EXPECT_NEAR(half[i] - start[i], 0.5F * (whole[i] - start[i]), 1e-3);
  }
}

TEST_F(StylizationTest, RunsAgainWithOtherPicturesToTheSameBitsAsANewOne) {
  config_.iterations = 6;
  config_.scales.count = 2;
  Stylization used = stylization();
  run(used, go_on);
  std::swap(contents_[0], contents_[1]);
  Stylization fresh = stylization();
  const Stylized again = run(used, go_on);
  const Stylized expected = run(fresh, go_on);
  EXPECT_EQ(again.pictures[0].rgb, expected.pictures[0].rgb);
  EXPECT_EQ(again.pictures[1].rgb, expected.pictures[1].rgb);
}

TEST_F(StylizationTest, StoppedAtACoarseScaleGivesItsPictureAtTheResultsSize) {
  config_.iterations = 20;
  config_.scales.count = 2;
  Stylization stylization = this->stylization();
  std::vector<float> last;
  const Stylized result = run(stylization, [&](const Progress& progress) {
    last = progress.picture(0).rgb;
    return progress.iteration < 3;
  });
  EXPECT_EQ(result.ending, Ending::stopped);
  EXPECT_EQ(result.iterations, 3);
  EXPECT_EQ(result.pictures[0].rgb, last);
}

TEST_F(StylizationTest, TheResultIsTheMeanOfTheIteratesWhereTheConfigurationSaysSo) {
  config_.iterations = 4;
  Stylization plain = stylization();
  std::vector<std::vector<float>> iterates;
  run(plain, [&](const Progress& progress) {
    iterates.push_back(progress.picture(0).rgb);
    return true;
  });
  config_.average = 0.8;
  Stylization averaged = stylization();
  double last_loss = 0;
  const Stylized result = run(averaged, [&](const Progress& progress) {
    last_loss = progress.losses[0].total;
    return true;
  });
  const std::vector<float>& mean = result.pictures[0].rgb;
  for (std::size_t i = 0; i < mean.size(); i += 97) {
    double sum = 0;
    double weights = 0;
    for (std::size_t k = 1; k <= 4; ++k) {
      const double weight = std::pow(0.8, 4.0 - static_cast<double>(k));
      sum += weight * static_cast<double>(iterates[k][i]);
      weights += weight;
    }
    ASSERT_NEAR(mean[i], sum / weights, 1e-3);
  }
  // The last losses are the result's own.
  Stylizer judge(session_, config_, contents_, styles_, result.pictures);
  EXPECT_NEAR(judge.evaluate()[0].total / last_loss, 1, 1e-6);
}

TEST_F(StylizationTest, RemembersContentsAndStylesOfEarlierRuns) {
  config_.optimizer = AdamOptions{.learning_rate = 1};
  config_.iterations = 4;
  config_.scales.count = 2;
  Stylization kept = this->stylization();
  const std::vector<Style> other_style = {{random_image(200, 194, 7), 1}};
  const std::vector<Image> other_contents = {contents_[1], random_image(192, 208, 8)};
  for (const std::vector<Image>& contents : {contents_, contents_, other_contents, contents_}) {
    for (const std::vector<Style>& styles : {styles_, styles_, other_style}) {
      Stylization anew = this->stylization();
      const Stylized expected = anew.run(contents, styles, contents_, 1, go_on);
      EXPECT_EQ(kept.run(contents, styles, contents_, 1, go_on).pictures[1].rgb,
                expected.pictures[1].rgb);
    }
  }
}

TEST_F(StylizationTest, RemembersHowFarStylesAreApart) {
  config_.objective.several_styles = SeveralStyles::sum_of_losses;
  config_.scales.count = 2;
  config_.iterations = 2;
  styles_.push_back({random_image(200, 194, 7), 2});
  for (float& value : styles_[1].image.rgb) value *= 0.5F;
  Stylization kept = this->stylization();
  std::vector<std::vector<double>> totals;
  for (int times = 0; times < 2; ++times) {
    totals.emplace_back();
    (void)run(kept, [&](const Progress& progress) {
      for (const Losses& one : progress.losses) totals.back().push_back(one.total);
      return true;
    });
  }
  EXPECT_EQ(totals[0], totals[1]);
}

TEST_F(StylizationTest, GivesTheBestPictureOfEachWhoseLossRose) {
  // Steps far too large for pictures that begin at their content.
  config_.objective["style"].weight = 1e-6;
  config_.objective["tv"].weight = 0;
  config_.optimizer = AdamOptions{.learning_rate = 100};
  config_.iterations = 5;
  Stylization stylization = this->stylization();
  const Stylized result = run(stylization, go_on);
  for (std::size_t n = 0; n < 2; ++n) {
    EXPECT_TRUE(result.courses[n].rose);
    EXPECT_EQ(result.courses[n].result().iteration, 0);
    EXPECT_EQ(result.pictures[n].rgb, contents_[n].rgb);
  }
}

TEST_F(StylizationTest, DivergedAtAFinerScaleEndsWithAFinitePicture) {
  config_.optimizer = AdamOptions{.learning_rate = 1e30};
  config_.iterations = 8;
  config_.scales.count = 2;
  Stylization stylization = this->stylization();
  const Stylized result = run(stylization, go_on);
  EXPECT_EQ(result.ending, Ending::diverged);
  for (const float value : result.pictures[0].rgb) ASSERT_TRUE(std::isfinite(value));
}

TEST_F(StylizationTest, TakesTheMemoryOfItsLargestScale) {
  const Shape pixels = pixel_shape(contents_);
  const std::vector<Shape> styles = shapes_of(styles_);
  const MemoryEstimate one = estimate_memory(*backend_, vgg19, config_, pixels, styles);
  config_.scales.count = 2;
  EXPECT_EQ(estimate_memory(*backend_, vgg19, config_, pixels, styles).total(), one.total());
}

TEST(MemoryEstimate, GrowsWithThePictureAndNotWithTheStyleBelowIt) {
  const auto backend = make_backend("cpu", Precision::fp32);
  const Config config = preset("coursera");
  const std::vector<Shape> style = {{1, 64, 64, 3}};
  const MemoryEstimate small = estimate_memory(*backend, vgg19, config, {1, 256, 256, 3}, style);
  const MemoryEstimate large = estimate_memory(*backend, vgg19, config, {1, 512, 512, 3}, style);
  EXPECT_NEAR(static_cast<double>(large.arena) / static_cast<double>(small.arena), 4, 0.4);
  EXPECT_EQ(small.weights, large.weights);
}

TEST(MemoryEstimate, AnIterationTakesLittleMoreThanItsActivations) {
  // conv1_1 … conv5_1 of a 256² picture in float are 80.5 MiB; gradients find room among them.
  const auto backend = make_backend("cpu", Precision::fp32);
  const std::vector<Shape> style = {{1, 256, 256, 3}};
  const MemoryEstimate estimate =
      estimate_memory(*backend, vgg19, preset("coursera"), {1, 256, 256, 3}, style);
  EXPECT_LT(estimate.arena, std::size_t{90} << 20U);
}

/// Its loss falls fast at first and then by less and less.
Config settling(Config config, std::int64_t scales) {
  config.iterations = 120;
  config.scales = {.count = scales, .ratio = 2, .iteration_ratio = 0.5};
  config.optimizer = AdamOptions{.learning_rate = 1};
  config.stop = {.below = 0.2, .window = 4};
  config.average = 0.5;
  return config;
}

TEST_F(StylizationTest, ThatConvergesEndsAsOneOfSoManyIterations) {
  config_ = settling(config_, 1);
  Stylization stylization = this->stylization();
  std::vector<std::vector<double>> losses(2);
  const Stylized early = run(stylization, [&](const Progress& progress) {
    for (std::size_t n = 0; n < 2; ++n) losses[n].push_back(progress.losses[n].total);
    return true;
  });
  EXPECT_EQ(early.ending, Ending::converged);
  ASSERT_GT(early.iterations, 5);
  ASSERT_LT(early.iterations, 120);
  ASSERT_EQ(losses[0].size(), static_cast<std::size_t>(early.iterations) + 1);
  // The loss that decided is the last but one: both pictures had fallen by less than a fifth in four
  // iterations, and before not both.
  const auto fell = [&](std::size_t n, std::size_t k) {
    return 1 - losses[n][k] / losses[n][k - 4];
  };
  const std::size_t decided = losses[0].size() - 2;
  EXPECT_LT(std::max(fell(0, decided), fell(1, decided)), 0.2);
  EXPECT_GE(std::max(fell(0, decided - 1), fell(1, decided - 1)), 0.2);

  config_.stop = {};
  config_.iterations = early.iterations;
  Stylization planned = this->stylization();
  const Stylized whole = run(planned, go_on);
  EXPECT_EQ(whole.ending, Ending::finished);
  EXPECT_EQ(whole.pictures[0].rgb, early.pictures[0].rgb);
  EXPECT_EQ(whole.courses[1].last.losses.total, early.courses[1].last.losses.total);
}

TEST_F(StylizationTest, ThatConvergesGoesOnToTheNextScale) {
  config_ = settling(config_, 2);
  Stylization stylization = this->stylization();
  std::vector<std::int64_t> sizes;
  std::int64_t expected = 0;
  const Stylized early = run(stylization, [&](const Progress& progress) {
    EXPECT_EQ(progress.iteration, expected++);
    sizes.push_back(progress.size);
    return true;
  });
  EXPECT_EQ(early.ending, Ending::converged);
  EXPECT_LT(early.iterations, 100);
  const auto coarse = std::ranges::count(sizes, 104);
  EXPECT_GT(coarse, 4);
  EXPECT_LT(coarse, 80);
  EXPECT_GT(std::ranges::count(sizes, 208), 4);
}

TEST_F(StylizationTest, ThatConvergesDoesSoAfterAnInterruptionAsWell) {
  config_ = settling(config_, 2);
  Stylization stylization = this->stylization();
  const Stylized whole = run(stylization, go_on);
  ASSERT_EQ(whole.ending, Ending::converged);
  for (std::int64_t stop = 1; stop < whole.iterations; stop += 3) {
    SCOPED_TRACE(stop);
    const Checkpoints stopped = stopped_at(stylization, stop);
    ASSERT_FALSE(stopped.from.empty());
    const Stylized rest = stylization.run(contents_, styles_, contents_, 1, go_on, stopped);
    EXPECT_EQ(rest.ending, Ending::converged);
    EXPECT_EQ(rest.iterations, whole.iterations);
    EXPECT_EQ(rest.pictures[1].rgb, whole.pictures[1].rgb);
  }
}

/// L-BFGS that ends where the loss, which is brought to 1, changes by less than a little. What it
/// optimises is as little of the pixels, so that its steps do not end it before.
Config ending(Config config, Session& session, const std::vector<Image>& contents,
              const std::vector<Style>& styles) {
  const double loss = Stylizer(session, config, contents, styles, contents).evaluate()[0].total;
  for (const char* name : {"content", "style", "tv"}) config.objective[name].weight /= loss;
  config.iterations = 120;
  config.optimizer = LbfgsOptions{.history = 5, .unit = 2e-4, .reach = 3, .tolerance_change = 3e-4};
  return config;
}

void without_end(Config& config) { std::get<LbfgsOptions>(config.optimizer).tolerance_change = -1; }

TEST_F(StylizationTest, ThatLbfgsEndsEndsEachPictureAsOneOfSoManyIterations) {
  for (float& value : contents_[1].rgb) value = 100 + 0.2F * value;  // it ends elsewhere
  const Config with_end = ending(config_, session_, contents_, styles_);
  for (const double average : {0.0, 0.5}) {
    std::vector<Stylized> alone;
    for (const Image& content : contents_) {
      const std::span<const Image> one(&content, 1);
      const auto run_alone = [&] {
        Stylization stylization(session_, config_, pixel_shape(one), shapes_of(styles_));
        return stylization.run(one, styles_, one, 1, go_on);
      };
      config_ = with_end;
      config_.average = average;
      alone.push_back(run_alone());
      const Stylized& early = alone.back();
      EXPECT_EQ(early.ending, Ending::converged);
      ASSERT_GT(early.iterations, 2);
      ASSERT_LT(early.iterations, 110);
      ASSERT_EQ(early.early.size(), 1U);
      EXPECT_EQ(early.early[0].size, 208);
      EXPECT_EQ(early.early[0].iteration, early.iterations);
      EXPECT_NE(early.early[0].reason, EndReason::none);

      without_end(config_);
      config_.iterations = early.iterations;
      const Stylized whole = run_alone();
      EXPECT_EQ(whole.ending, Ending::finished);
      EXPECT_EQ(whole.pictures[0].rgb, early.pictures[0].rgb);
      EXPECT_EQ(whole.courses[0].last.losses.total, early.courses[0].last.losses.total);
    }
    if (average > 0) continue;  // a mean goes on while the other picture does
    config_ = with_end;
    Stylization stylization = this->stylization();
    const Stylized both = run(stylization, go_on);
    EXPECT_NE(alone[0].iterations, alone[1].iterations) << "else this shows less";
    EXPECT_EQ(both.iterations, std::max(alone[0].iterations, alone[1].iterations));
    for (std::size_t n = 0; n < 2; ++n) {
      EXPECT_EQ(both.pictures[n].rgb, alone[n].pictures[0].rgb) << n;
    }
  }
}

TEST_F(StylizationTest, ThatLbfgsEndsGoesOnToTheNextScaleAlsoAfterAnInterruption) {
  config_ = ending(config_, session_, contents_, styles_);
  config_.scales = {.count = 2, .ratio = 2};
  config_.iterations = 200;
  Stylization stylization = this->stylization();
  std::int64_t expected = 0;
  const Stylized whole = run(stylization, [&](const Progress& progress) {
    EXPECT_EQ(progress.iteration, expected++);
    return true;
  });
  EXPECT_EQ(whole.ending, Ending::converged);
  ASSERT_EQ(whole.early.size(), 2U);
  EXPECT_EQ(whole.early[0].size, 104);
  EXPECT_LT(whole.early[0].iteration, 100);
  EXPECT_EQ(whole.early[1].iteration, whole.iterations);
  for (std::int64_t stop = 1; stop < whole.iterations; stop += 37) {
    SCOPED_TRACE(stop);
    const Checkpoints stopped = stopped_at(stylization, stop);
    ASSERT_FALSE(stopped.from.empty());
    const Stylized rest = stylization.run(contents_, styles_, contents_, 1, go_on, stopped);
    EXPECT_EQ(rest.iterations, whole.iterations);
    EXPECT_EQ(rest.early, whole.early);
    EXPECT_EQ(rest.pictures[1].rgb, whole.pictures[1].rgb);
  }
}

TEST(Lbfgs, EndsOnEveryBackendWithTheLastIterationThatIsReported) {
  for (const char* name : {"reference", "cpu", "simt"}) {
    SCOPED_TRACE(name);
    const auto backend = make_backend(name, Precision::fp32);
    Config config = preset("coursera");
    config.objective["content"].layers = {{"conv1_1", 1}};
    config.objective["style"].layers = {{"conv1_1", 1}};
    Session session(*backend, random_weights(0), config.objective.pool, 0);
    const std::vector<Image> contents = {random_image(16, 16, 1)};
    const std::vector<Style> styles = {{random_image(16, 16, 3), 1}};
    config = ending(config, session, contents, styles);
    std::vector<Image> pictures;
    std::vector<std::int64_t> ends;
    for (const std::int64_t every : {1, 7}) {
      Stylizer stylizer(session, config, contents, styles, contents);
      Progress last;
      const RunEnd end = run(stylizer, 200, every, [&](const Progress& progress) {
        EXPECT_FALSE(last.last);
        last = progress;
        return true;
      });
      EXPECT_EQ(end.ending, Ending::converged);
      EXPECT_NE(end.reason, EndReason::none);
      EXPECT_TRUE(last.last);
      EXPECT_EQ(last.iteration, end.iterations);
      EXPECT_EQ(last.work, 1);
      EXPECT_NEAR(stylizer.evaluate().front().total / last.losses.front().total, 1, 1e-5);
      ends.push_back(end.iterations);
      pictures.push_back(stylizer.image());
    }
    EXPECT_GT(ends[0], 3);
    EXPECT_EQ(ends[0], ends[1]);
    EXPECT_EQ(pictures[0].rgb, pictures[1].rgb);
  }
}

}  // namespace
}  // namespace impasto::stylization_test
