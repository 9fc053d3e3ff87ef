// SPDX-License-Identifier: MIT
// What the engine asks of a GPU, on the host-SIMT machine: one allocation, a recorded iteration,
// losses that are on their way while the next step is enqueued, and calls that fail.
#include <algorithm>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

#include "host/backend/device/device_backend.hpp"
#include "host/backend/registry.hpp"
#include "host/core/error.hpp"
#include "host/engine/stylization.hpp"
#include "simt/error.hpp"
#include "simt/machine.hpp"
#include "tests/support/toy_network.hpp"

namespace impasto::simt_engine_test {
namespace {

using test::random_image;
using test::random_weights;
using testing::HasSubstr;

simt::DeviceMemory& device_memory() { return simt::Machine::get().device_memory(); }

/// Two convolutions and a pool, with every kind of loss: quick, and enough for what is around it.
class SimtEngine : public testing::Test {
 protected:
  SimtEngine() {
    config_.objective["content"].layers = {{"conv2_1", 1}};
    config_.objective["style"].layers = {{"conv1_1", 1}, {"conv2_1", 1}};
    config_.objective["tv"].weight = 1;
    for (std::uint32_t n = 0; n < 2; ++n) contents_.push_back(random_image(12, 14, n));
  }
  void TearDown() override {
    simt::fail_call(0);
    device_memory().set_limit(std::nullopt);
  }

  Session open(Backend& backend) { return {backend, weights_, config_.objective}; }
  Stylizer stylizer(Session& session, std::size_t first = 0, std::size_t count = 1) {
    const std::span<const Image> contents = std::span(contents_).subspan(first, count);
    return {session, config_, contents, std::span(&style_, 1), contents};
  }

  Weights weights_ = random_weights(3);
  Config config_ = preset("coursera");
  std::vector<Image> contents_;
  Style style_{random_image(11, 9, 7), 1};
};

TEST_F(SimtEngine, AllocatesWhatItPlannedAndNothingElse) {
  const auto backend = make_backend("simt", Precision::bf16);
  const Shape style{1, 11, 9, 3};
  const MemoryEstimate estimate =
      estimate_memory(*backend, vgg19, config_, {2, 12, 14, 3}, std::span(&style, 1));
  EXPECT_GT(estimate.workspace, 0U);
  const std::size_t before = device_memory().bytes_in_use();
  {
    Session session = open(*backend);
    Stylizer two = stylizer(session, 0, 2);
    two.step();
    two.step();
    (void)two.evaluate();
    // Filters as maps are stored, also rotated; biases and the first layer's filters as floats.
    std::size_t parameters = weights_.convs.front().parameters.weight.size() * sizeof(float);
    for (const auto& conv : weights_.convs) {
      parameters += conv.parameters.weight.size() * 2 * sizeof(kernels::bfloat16);
      parameters += conv.parameters.bias.size() * sizeof(float);
    }
    EXPECT_EQ(device_memory().bytes_in_use() - before,
              estimate.persistent + estimate.arena + estimate.workspace + parameters);
  }
  EXPECT_EQ(device_memory().bytes_in_use(), before);
}

TEST_F(SimtEngine, APictureInTilesTakesThePlannedMemoryAndNothingElse) {
  const auto backend = make_backend("simt", Precision::bf16);
  Session session = open(*backend);
  const std::span<const Image> content(contents_.data(), 1);
  const std::span<const Style> style(&style_, 1);
  Plan plan(session.network(), config_, pixel_shape(content), backend->master_type(),
            backend->activation_type(), shapes_of(style), {6, 6});
  EXPECT_EQ(plan.tiling()->tiles().size(), 6U);
  plan.prepare(*backend);
  const std::size_t before = device_memory().bytes_in_use();
  plan.bind(backend->allocate(plan.bytes()));
  plan.reset(*backend, content, style, content);
  plan.iteration().run(*backend);
  plan.evaluation().run(*backend);
  backend->synchronize();
  EXPECT_EQ(device_memory().bytes_in_use() - before, plan.bytes());
}

/// How often each kernel is launched while `work` runs.
std::map<std::string, int> launches(const std::function<void()>& work) {
  simt::Counter counter;
  simt::Machine::get().set_counter(&counter);
  work();
  simt::Machine::get().set_counter(nullptr);
  std::map<std::string, int> counted;
  for (const simt::LaunchCounts& launch : counter.launches()) ++counted[launch.kernel];
  return counted;
}

// Each launch costs a GPU a microsecond or more, in which it does nothing: as much as a small layer's
// Gram matrix. A kernel more in an operation shows here.
TEST_F(SimtEngine, AnIterationLaunchesTheseKernels) {
  const auto backend = make_backend("simt", Precision::bf16);
  Session session = open(*backend);
  Stylizer stylizer = this->stylizer(session);
  const auto of_a_step = launches([&] {
    stylizer.step();
    backend->synchronize();
  });
  EXPECT_THAT(of_a_step, (std::map<std::string, int>{{"first_conv_gram_loss", 1},
                                                     {"pool_forward", 1},
                                                     {"pool_backward", 1},
                                                     {"gram_loss_mma", 1},
                                                     {"style_backward_mma", 1},
                                                     {"style_first_conv", 1},
                                                     {"content_loss", 1},
                                                     {"total_variation", 1},
                                                     {"adam", 1}}));
}

// As with the weights that everybody uses: activations in the tens of thousands and more. Gradients
// of a style loss fall with the number of pixels; so few would give larger ones than any real
// picture, hence the small weight.
TEST_F(SimtEngine, Fp16HoldsActivationsThatFloat16DoesNot) {
  for (float& weight : weights_.convs.front().parameters.weight) weight *= 400;
  config_.objective["style"].weight = 1e-9;
  const auto losses = [&](Precision precision) {
    const auto backend = make_backend("simt", precision);
    Session session = open(*backend);
    const std::vector<float> first = activation(session, contents_.front(), "conv1_1").values;
    EXPECT_GT(*std::max_element(first.begin(), first.end()), 65504) << "too small for this test";
    Stylizer stylizer = this->stylizer(session);
    for (int i = 0; i < 3; ++i) stylizer.step();
    return stylizer.losses().front();
  };
  const Losses expected = losses(Precision::fp32);
  const Losses found = losses(Precision::fp16);
  EXPECT_NEAR(found["content"].value / expected["content"].value, 1, 0.01);
  EXPECT_NEAR(found["style"].value / expected["style"].value, 1, 0.01);
}

// Four L2 pools make activations sixteen times as large, and gradients by the cube of that.
TEST_F(SimtEngine, Fp16HoldsGradientsBehindL2Pools) {
  weights_ = random_weights(vgg19.index("conv5_1"));
  config_.objective["style"].layers = {{"conv1_1", 0.5}, {"conv5_1", 0.5}};
  config_.objective["style"].weight = 100;
  config_.objective.pool.mode = kernels::PoolMode::l2;
  contents_ = {random_image(32, 32, 1)};
  style_ = {random_image(32, 32, 7), 1};
  const auto loss = [&](Precision precision) {
    const auto backend = make_backend("simt", precision);
    Session session = open(*backend);
    Stylizer stylizer = this->stylizer(session);
    for (int i = 0; i < 3; ++i) stylizer.step();
    return stylizer.losses().front().total;
  };
  EXPECT_NEAR(loss(Precision::fp16) / loss(Precision::fp32), 1, 0.01);
}

TEST_F(SimtEngine, ARecordedStepIsTheStepItself) {
  const auto backend = make_backend("simt", Precision::fp32);
  Session session = open(*backend);
  Stylizer recorded = stylizer(session);
  Stylizer plain = stylizer(session);
  for (int i = 0; i < 3; ++i) {
    recorded.step();
    plain.plan().iteration().run(*backend);
    EXPECT_EQ(recorded.losses().front().total, plain.losses().front().total) << "step " << i;
  }
  EXPECT_EQ(recorded.image().rgb, plain.image().rgb);
}

TEST_F(SimtEngine, PicturesOfABatchAreWhatEachIsAlone) {
  const auto backend = make_backend("simt", Precision::fp32);
  Session session = open(*backend);
  const auto optimise = [&](std::size_t first, std::size_t count) {
    Stylizer batch = stylizer(session, first, count);
    for (int i = 0; i < 3; ++i) batch.step();
    std::vector<std::vector<float>> pictures;
    for (std::size_t n = 0; n < count; ++n) {
      pictures.push_back(batch.image(static_cast<std::int64_t>(n)).rgb);
      EXPECT_TRUE(batch.losses()[n].finite());
    }
    return pictures;
  };
  const auto together = optimise(0, 2);
  EXPECT_EQ(together[0], optimise(0, 1)[0]);
  EXPECT_EQ(together[1], optimise(1, 1)[0]);
}

TEST_F(SimtEngine, TheHostDoesNotWaitForWhatItWatches) {
  const auto backend = make_backend("simt", Precision::fp32);
  Session session = open(*backend);
  Stylizer watched = stylizer(session);
  const double first = watched.evaluate().front().total;
  LookAhead ahead(watched);
  ahead.step();
  ahead.step();
  EXPECT_FALSE(ahead.arrived()) << "the machine works late: something waited";
  EXPECT_THROW(ahead.step(), Error) << "both places are taken";
  EXPECT_EQ(ahead.collect().front().total, first);
  EXPECT_TRUE(ahead.arrived()) << "they follow each other on one stream";
}

TEST_F(SimtEngine, ARunReportsEveryPictureInOrderWithItsLosses) {
  const auto backend = make_backend("simt", Precision::fp32);
  Session session = open(*backend);
  Stylizer plain = stylizer(session);
  std::vector<double> expected;
  for (int k = 0; k <= 4; ++k) {
    expected.push_back(plain.evaluate().front().total);
    plain.step();
  }
  Stylizer optimised = stylizer(session);
  std::vector<double> reported;
  const RunEnd end = run(optimised, 4, 1, [&](const Progress& progress) {
    EXPECT_EQ(progress.iteration, static_cast<std::int64_t>(reported.size()));
    reported.push_back(progress.losses.front().total);
    return true;
  });
  EXPECT_EQ(end.ending, Ending::finished);
  EXPECT_EQ(reported, expected);
}

TEST_F(SimtEngine, ARunThatIsStoppedEndsAtThePictureItReported) {
  const auto backend = make_backend("simt", Precision::fp32);
  Session session = open(*backend);
  Stylizer optimised = stylizer(session);
  std::vector<float> last;
  const RunEnd end = run(optimised, 100, 1, [&](const Progress& progress) {
    last = progress.picture(0).rgb;
    return progress.iteration < 2;
  });
  EXPECT_EQ(end.ending, Ending::stopped);
  EXPECT_EQ(optimised.image().rgb, last);
}

TEST_F(SimtEngine, ResetStartsAnewWithoutAllocatingUploadingOrRecording) {
  const auto backend = make_backend("simt", Precision::fp32);
  Session session = open(*backend);
  const auto steps = [](Stylizer& stylizer) {
    for (int i = 0; i < 3; ++i) stylizer.step();
    return std::pair(stylizer.image().rgb, stylizer.losses().front().total);
  };
  const auto fresh = [&](std::size_t picture) {
    Stylizer alone = stylizer(session, picture);
    return steps(alone);
  };
  const auto first = fresh(0);
  const auto second = fresh(1);
  EXPECT_NE(first, second);

  Stylizer both = stylizer(session, 0);
  EXPECT_EQ(steps(both), first);
  simt::fail_call(0);
  both.step();
  const std::int64_t calls_of_a_replay = simt::calls();
  device_memory().set_limit(device_memory().bytes_in_use());
  const std::span<const Image> next = std::span(contents_).subspan(1);
  both.reset(next, std::span(&style_, 1), next);
  simt::fail_call(0);
  both.step();
  EXPECT_EQ(simt::calls(), calls_of_a_replay);
  both.step();
  both.step();
  EXPECT_EQ(std::pair(both.image().rgb, both.losses().front().total), second);
}

TEST_F(SimtEngine, ResetTakesPicturesOfThePlannedShapesOnly) {
  const auto backend = make_backend("simt", Precision::fp32);
  Session session = open(*backend);
  Stylizer planned = stylizer(session);
  const Image wide = random_image(12, 15, 3);
  const std::span<const Image> one(&wide, 1);
  EXPECT_THROW(planned.reset(one, std::span(&style_, 1), one), Error);
  const std::span<const Image> same = std::span(contents_).first(1);
  const std::vector<Style> two = {style_, style_};
  EXPECT_THROW(planned.reset(same, two, same), Error);
}

TEST_F(SimtEngine, SaysHowMuchMemoryIsMissingAndWhatWouldFit) {
  const auto backend = make_backend("simt", Precision::fp32);
  contents_[0] = random_image(96, 192, 1);
  Session session = open(*backend);
  const Shape pixels{1, 96, 192, 3};
  const Shape style{1, 11, 9, 3};
  const auto estimate = [&] {
    return estimate_memory(*backend, vgg19, config_, pixels, std::span(&style, 1)).shortage;
  };
  EXPECT_EQ(estimate(), "");
  device_memory().set_limit(device_memory().bytes_in_use() + (std::size_t{8} << 20U));
  EXPECT_THAT(estimate(), HasSubstr("not enough memory for a picture of 192×96"));
  try {
    stylizer(session);
    FAIL() << "it fitted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::out_of_memory);
    EXPECT_THAT(error.what(), HasSubstr("a picture of 192×96"));
    EXPECT_THAT(error.what(), HasSubstr("MiB missing; a longer side of 112 pixels would fit"));
    const std::string tiles = "would fit; --memory ";
    const std::string said = error.what();
    ASSERT_THAT(said, HasSubstr(tiles));
    config_.memory = std::stoul(said.substr(said.find(tiles) + tiles.size())) << 20U;
  }
  stylizer(session).step();
  config_.memory = 0;
  contents_[0] = random_image(56, 112, 1);
  stylizer(session).step();
}

TEST_F(SimtEngine, EveryCallThatFailsIsAClearErrorAndLeavesNothingBehind) {
  contents_[0] = random_image(5, 6, 1);
  style_.image = random_image(4, 5, 7);
  const auto use = [&] {
    const auto backend = make_backend("simt", Precision::fp32);
    Session session = open(*backend);
    Stylizer optimised = stylizer(session);
    run(optimised, 2, 1, [](const Progress&) { return true; });
    (void)optimised.image();
  };
  const std::size_t before = device_memory().bytes_in_use();
  simt::fail_call(0);
  use();
  const std::int64_t calls = simt::calls();
  ASSERT_GT(calls, 50);
  for (std::int64_t k = 1; k <= calls; ++k) {
    simt::fail_call(k);
    try {
      use();
      ADD_FAILURE() << "call " << k << " failed and nobody said so";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("failed, as a test asked for")) << "call " << k;
    }
    EXPECT_EQ(device_memory().bytes_in_use(), before) << "call " << k;
  }
}

TEST_F(SimtEngine, WhenLaunchesAreWaitedForAnErrorSaysWhichStepItWasAndNothingIsRecorded) {
  setenv("IMPASTO_SYNC", "1", 1);
  const auto backend = make_backend("simt", Precision::fp32);
  unsetenv("IMPASTO_SYNC");
  Session session = open(*backend);
  Stylizer optimised = stylizer(session);
  LookAhead ahead(optimised);
  optimised.step();
  optimised.step();
  ahead.step();
  simt::fail_call(1);
  try {
    optimised.step();
    ADD_FAILURE() << "nothing failed";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("conv1_1 forward and style loss: a kernel is at fault: launch of "));
  }
  simt::synchronous_launches = false;
}

}  // namespace
}  // namespace impasto::simt_engine_test
