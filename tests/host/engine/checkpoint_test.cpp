// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "host/backend/registry.hpp"
#include "host/core/error.hpp"
#include "host/engine/checkpoint_file.hpp"
#include "tests/support/toy_network.hpp"
#include "tests/temporary_folder.hpp"

namespace impasto::checkpoint_test {
namespace {

using test::random_image;
using test::random_weights;

/// Two pictures through two scales of one shallow layer.
class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest() {
    config_.objective["content"].layers = {{"conv1_1", 1}};
    config_.objective["style"].layers = {{"conv1_1", 1}};
    config_.objective["tv"].weight = 1;
    config_.iterations = 7;
    config_.scales = {.count = 2, .ratio = 2, .iteration_ratio = 0.75, .detail = 0.5};
  }
  void open(const std::string& backend) {
    backend_ = make_backend(backend);
    session_.emplace(*backend_, random_weights(0), config_.objective.pool, 0);
  }

  /// The pictures [first, first + count) from where the checkpoints say.
  Stylized run(
      std::size_t first, std::size_t count, const Checkpoints& checkpoints,
      const Stylization::Report& report = [](const Progress&) { return true; }) {
    const std::span<const Image> contents = std::span(contents_).subspan(first, count);
    Stylization stylization(*session_, config_, pixel_shape(contents), shapes_of(styles_));
    return stylization.run(contents, styles_, contents, 1, report, checkpoints);
  }

  /// The same by way of a file.
  Checkpoint through_file(const Checkpoint& checkpoint) {
    save_checkpoint(path_, checkpoint, "these pictures");
    return load_checkpoint(path_, config_.objective, "these pictures");
  }

  static void expect_equal(const Stylized& whole, std::size_t first, const Stylized& resumed) {
    EXPECT_EQ(resumed.ending, whole.ending);
    EXPECT_EQ(resumed.iterations, whole.iterations);
    for (std::size_t n = 0; n < resumed.pictures.size(); ++n) {
      EXPECT_EQ(resumed.pictures[n].rgb, whole.pictures[first + n].rgb);
      const Course& course = resumed.courses[n];
      const Course& expected = whole.courses[first + n];
      for (const auto point : {&Course::first, &Course::best, &Course::last}) {
        EXPECT_EQ((course.*point).iteration, (expected.*point).iteration);
        EXPECT_EQ((course.*point).losses.total, (expected.*point).losses.total);
      }
      EXPECT_EQ(course.rose, expected.rose);
    }
  }

  /// Keeps every iteration of a whole run, and goes on from each: both pictures, and one alone.
  void check_every_iteration() {
    std::vector<std::vector<Checkpoint>> kept;
    const auto keep = [&](std::vector<Checkpoint> made) { kept.push_back(std::move(made)); };
    const Stylized whole = run(0, 2, {});
    expect_equal(whole, 0, run(0, 2, {.every = 1, .keep = keep}));
    ASSERT_FALSE(kept.empty());
    for (const std::vector<Checkpoint>& made : kept) {
      SCOPED_TRACE(testing::Message()
                   << "scale " << made[0].scale << ", iteration " << made[0].iteration);
      const std::vector<Checkpoint> read = {through_file(made[0]), through_file(made[1])};
      expect_equal(whole, 0, run(0, 2, {.from = read}));
      expect_equal(whole, 1, run(1, 1, {.from = {read[1]}}));
    }
  }

  void expect_refused(const std::string& bytes) {
    write_all(path_, bytes);
    try {
      static_cast<void>(load_checkpoint(path_, config_.objective, "these pictures"));
      ADD_FAILURE() << "a damaged file was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_NE(std::string(error.what()).find(path_), std::string::npos);
    }
  }

  Config config_ = preset("coursera");
  std::unique_ptr<Backend> backend_;
  std::optional<Session> session_;
  std::vector<Image> contents_ = {random_image(128, 130, 1), random_image(128, 130, 2)};
  std::vector<Style> styles_ = {{random_image(129, 128, 3), 1}};
  TemporaryFolder folder_;
  std::string path_ = folder_.file("run.checkpoint");
};

TEST_F(CheckpointTest, OfAdamWithPyramidAndMeanEndsInTheSameBits) {
  config_.optimizer = AdamOptions{.learning_rate = 2};
  config_.pyramid_levels = 3;
  config_.average = 0.5;
  open("cpu");
  check_every_iteration();
}

TEST_F(CheckpointTest, OfDecorrelatedColoursAndOctavesEndsInTheSameBits) {
  config_.optimizer = AdamOptions{.learning_rate = 2};
  config_.decorrelated = true;
  config_.objective.octaves = 2;
  open("cpu");
  check_every_iteration();
}

TEST_F(CheckpointTest, OfLbfgsEndsInTheSameBits) {
  config_.optimizer = LbfgsOptions{.history = 2};
  open("cpu");
  check_every_iteration();
}

TEST_F(CheckpointTest, OfDescentWithADecayingRateEndsInTheSameBits) {
  config_.optimizer = DescentOptions{.learning_rate = 1e-3, .decay = {0.5, 2}};
  config_.box = Box::step;
  open("cpu");
  check_every_iteration();
}

TEST_F(CheckpointTest, OfLossesBeforeAReluAndABoxEndsInTheSameBits) {
  config_.objective.losses.push_back(
      StatisticsLoss{{.name = "statistics", .weight = 1, .layers = {{"conv1_1", 1}}}, {}});
  config_.objective["content"].before_relu = true;
  config_.optimizer = LbfgsOptions{.history = 2};
  config_.box = Box::evaluation;
  open("cpu");
  check_every_iteration();
}

TEST_F(CheckpointTest, InDoubleEndsInTheSameBits) {
  config_.optimizer = AdamOptions{.learning_rate = 2};
  contents_ = {random_image(20, 22, 1), random_image(20, 22, 2)};
  open("reference");
  check_every_iteration();
}

TEST_F(CheckpointTest, OnADeviceEndsInTheSameBits) {
  contents_ = {random_image(12, 14, 1), random_image(12, 14, 2)};
  styles_ = {{random_image(10, 12, 3), 1}};
  config_.iterations = 4;
  const std::vector<OptimizerSettings> optimizers = {
      AdamOptions{.learning_rate = 2}, LbfgsOptions{.history = 2},
      DescentOptions{.learning_rate = 1e-3, .decay = {0.5, 2}}};
  for (const OptimizerSettings& optimizer : optimizers) {
    config_.optimizer = optimizer;
    open("simt");
    check_every_iteration();
  }
}

TEST_F(CheckpointTest, KeepsTheBestPictureWhereTheLossRises) {
  config_.objective["style"].weight = 1e-6;
  config_.objective["tv"].weight = 0;
  config_.optimizer = AdamOptions{.learning_rate = 100};
  config_.scales.count = 1;
  open("cpu");
  check_every_iteration();
  EXPECT_EQ(run(0, 1, {}).pictures[0].rgb, contents_[0].rgb);
}

TEST_F(CheckpointTest, KeepsTheLastFinitePictureWhereTheNextIsNot) {
  config_.optimizer = AdamOptions{.learning_rate = 1e30};
  config_.scales.count = 1;
  open("cpu");
  check_every_iteration();
  EXPECT_EQ(run(0, 1, {}).ending, Ending::diverged);
}

TEST_F(CheckpointTest, IsMadeWhereTheRunIsAskedToStop) {
  config_.optimizer = AdamOptions{.learning_rate = 2};
  open("cpu");
  const Stylized whole = run(0, 2, {});
  for (std::int64_t stop = 0; stop < config_.iterations; ++stop) {
    std::vector<Checkpoint> kept;
    const Stylized stopped =
        run(0, 2, {.keep = [&](std::vector<Checkpoint> made) { kept = std::move(made); }},
            [&](const Progress& progress) { return progress.iteration < stop; });
    EXPECT_EQ(stopped.ending, Ending::stopped);
    EXPECT_EQ(stopped.iterations, stop);
    ASSERT_EQ(kept.size(), 2U);
    expect_equal(whole, 0, run(0, 2, {.from = kept}));
  }
}

TEST_F(CheckpointTest, OfSomethingElseIsRefused) {
  config_.optimizer = AdamOptions{.learning_rate = 2};
  open("cpu");
  std::vector<Checkpoint> kept;
  run(0, 1, {.every = 1, .keep = [&](std::vector<Checkpoint> made) { kept = std::move(made); }});
  const auto refused = [&](const std::function<void(Checkpoint&)>& change) {
    Checkpoint other = kept.front();
    change(other);
    try {
      run(0, 1, {.from = {other}});
      ADD_FAILURE() << "it was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
    }
  };
  refused([](Checkpoint& one) { one.state.pop_back(); });
  for (const std::int64_t scale : {-1, 0, 2}) {
    refused([&](Checkpoint& one) { one.scale = scale; });
  }
  for (const std::int64_t iteration : {-1, 0, 100}) {
    refused([&](Checkpoint& one) { one.iteration = iteration; });
  }
}

TEST_F(CheckpointTest, FileThatIsDamagedIsRefused) {
  config_.optimizer = AdamOptions{.learning_rate = 2};
  open("cpu");
  std::vector<Checkpoint> kept;
  run(0, 1, {.every = 1, .keep = [&](std::vector<Checkpoint> made) { kept = std::move(made); }});
  kept.front().early = {{64, 3, EndReason::none}, {96, 5, EndReason::loss}};
  EXPECT_EQ(through_file(kept.front()).early, kept.front().early);
  const std::string whole = read_all(path_);
  for (std::size_t length = 0; length < whole.size(); length += length < 2000 ? 13 : 30011) {
    expect_refused(whole.substr(0, length));
  }
  expect_refused(whole + "x");
  for (const std::size_t at : {std::size_t{3}, std::size_t{24}, whole.size() / 2}) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    expect_refused(changed);
  }
  const std::size_t terms = whole.find("\"terms\":[");
  expect_refused(whole.substr(0, terms + 9) + "1," + whole.substr(terms + 9));
  std::string unknown_reason = whole;
  unknown_reason.replace(whole.find("\"reason\":4"), 10, "\"reason\":5");
  expect_refused(unknown_reason);
  write_all(path_, whole);
  EXPECT_THROW(static_cast<void>(load_checkpoint(path_, config_.objective, "others")), Error);
}

}  // namespace
}  // namespace impasto::checkpoint_test
