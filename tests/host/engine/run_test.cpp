// SPDX-License-Identifier: MIT
#include "host/engine/run.hpp"

#include <gtest/gtest.h>
#include <limits>

#include "host/backend/registry.hpp"
#include "host/engine/initial.hpp"
#include "tests/support/toy_network.hpp"

namespace impasto::run_test {
namespace {

using test::random_image;
using test::random_weights;

/// A stylization of one shallow layer: quick, and enough for the loop around it.
class Run : public testing::Test {
 protected:
  Run()
      : backend_(make_backend("cpu", Precision::fp32)),
        config_(preset("coursera")),
        session_(*backend_, random_weights(0), config_.objective.pool, 0) {
    config_.objective["content"].layers = {{"conv1_1", 1}};
    config_.objective["style"].layers = {{"conv1_1", 1}};
  }

  Stylizer stylizer() {
    const Image content = random_image(16, 16, 1);
    const Style style{random_image(16, 16, 2), 1};
    const Image initial = make_initial(config_, content, std::span(&style, 1));
    return {session_, config_, std::span(&content, 1), std::span(&style, 1),
            std::span(&initial, 1)};
  }

  std::unique_ptr<Backend> backend_;
  Config config_;
  Session session_;
};

TEST_F(Run, ReportsTheFirstTheLastAndEveryNthPicture) {
  Stylizer optimised = stylizer();
  std::vector<std::int64_t> reported;
  const RunEnd end = run(optimised, 10, 4, [&](const Progress& progress) {
    reported.push_back(progress.iteration);
    return true;
  });
  EXPECT_EQ(end.ending, Ending::finished);
  EXPECT_EQ(reported, (std::vector<std::int64_t>{0, 4, 8, 10}));
}

TEST_F(Run, OfNoIterationsReportsTheInitialPicture) {
  Stylizer optimised = stylizer();
  const std::vector<float> initial = optimised.image().rgb;
  int reports = 0;
  run(optimised, 0, 1, [&](const Progress&) { return ++reports != 0; });
  EXPECT_EQ(reports, 1);
  EXPECT_EQ(optimised.image().rgb, initial);
}

TEST_F(Run, WhatIsReportedIsTheGoodPicture) {
  Stylizer optimised = stylizer();
  std::vector<std::vector<float>> pictures;
  run(optimised, 3, 1, [&](const Progress& progress) {
    pictures.push_back(progress.picture(0).rgb);
    return true;
  });
  ASSERT_EQ(pictures.size(), 4U);
  EXPECT_EQ(pictures.back(), optimised.image().rgb);
  EXPECT_NE(pictures[0], pictures[1]);
}

TEST_F(Run, StopsWhenAskedAndKeepsWhatItReported) {
  Stylizer optimised = stylizer();
  std::vector<float> last;
  const RunEnd end = run(optimised, 100, 1, [&](const Progress& progress) {
    last = progress.picture(0).rgb;
    return progress.iteration < 5;
  });
  EXPECT_EQ(end.ending, Ending::stopped);
  EXPECT_EQ(optimised.image().rgb, last);
}

TEST_F(Run, WatchedPicturesAreCollectedInTheirOrderAndTheLastIsTheGoodOne) {
  Stylizer optimised = stylizer();
  LookAhead ahead(optimised);
  const std::vector<float> first = optimised.image().rgb;
  const double first_loss = optimised.evaluate().front().total;
  ahead.step();
  const std::vector<float> second = optimised.image().rgb;
  EXPECT_NE(second, first);
  const double second_loss = optimised.evaluate().front().total;
  ahead.step();
  EXPECT_EQ(ahead.good_image().rgb, first);
  EXPECT_EQ(ahead.collect().front().total, first_loss);
  EXPECT_EQ(ahead.good_image().rgb, first);
  EXPECT_EQ(ahead.collect().front().total, second_loss);
  EXPECT_EQ(ahead.good_image().rgb, second);
  ahead.step();
  ahead.restore();
  EXPECT_EQ(optimised.image().rgb, second);
  EXPECT_EQ(ahead.watched(), 0U);
}

TEST_F(Run, LogsTheLossesOfThePictureItNames) {
  Stylizer optimised = stylizer();
  std::vector<double> losses;
  run(optimised, 4, 1, [&](const Progress& progress) {
    losses.push_back(progress.losses.front().total);
    return true;
  });
  Stylizer again = stylizer();
  for (std::size_t k = 0; k < losses.size(); ++k) {
    EXPECT_EQ(again.evaluate().front().total, losses[k]) << "picture " << k;
    again.step();
  }
}

TEST_F(Run, EndsAtTheLastFinitePictureWhenItDiverges) {
  config_.optimizer = AdamOptions{.learning_rate = 1e30};
  Stylizer optimised = stylizer();
  std::vector<float> last;
  const RunEnd end = run(optimised, 100, 1, [&](const Progress& progress) {
    last = progress.picture(0).rgb;
    return true;
  });
  EXPECT_EQ(end.ending, Ending::diverged);
  EXPECT_EQ(optimised.image().rgb, last);
}

TEST_F(Run, NoticesDivergenceWithinTenIterationsEvenWhenNobodyWatches) {
  config_.optimizer = AdamOptions{.learning_rate = std::numeric_limits<double>::quiet_NaN()};
  Stylizer optimised = stylizer();
  const std::vector<float> initial = optimised.image().rgb;
  int reports = 0;
  const RunEnd end = run(optimised, 1'000'000, 1'000'000, [&](const Progress&) {
    ++reports;
    return true;
  });
  EXPECT_EQ(end.ending, Ending::diverged);
  EXPECT_EQ(reports, 1);
  EXPECT_EQ(optimised.image().rgb, initial);
}

}  // namespace
}  // namespace impasto::run_test
