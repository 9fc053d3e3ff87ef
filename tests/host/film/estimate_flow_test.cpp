// SPDX-License-Identifier: MIT
#include "host/film/estimate_flow.hpp"

#include <cmath>
#include <gtest/gtest.h>

#include "host/core/error.hpp"

namespace impasto::film::estimate_flow_test {
namespace {

/// Waves of several directions and lengths, seen from `x` and `y`.
Image waves(std::int64_t height, std::int64_t width, double x, double y) {
  Image image{height, width, {}, {}};
  for (std::int64_t i = 0; i < height * width; ++i) {
    const double a = static_cast<double>(i % width) + x;
    const double b = static_cast<double>(i / width) + y;
    const double sum = std::sin(0.31 * a + 0.07 * b) + std::sin(0.11 * a - 0.29 * b) +
                       std::sin(0.05 * a + 0.53 * b) + std::sin(0.61 * a + 0.4 * b + 1);
    for (int c = 0; c < 3; ++c) image.rgb.push_back(static_cast<float>(128 + 30 * sum));
  }
  return image;
}

class EstimatedFlow : public testing::Test {
 protected:
  void SetUp() override {
    if (!can_estimate_flow()) GTEST_SKIP() << "this build has no OpenCV (libopencv-video-dev)";
  }
};

TEST_F(EstimatedFlow, IsThatOfAPan) {
  const Image from = waves(64, 96, 0, 0);
  const Image to = waves(64, 96, 2.5, -1);  // the view moves: what it shows goes the other way
  const Flow flow = estimate_flow(from, to);
  ASSERT_EQ(flow.height, 64);
  ASSERT_EQ(flow.width, 96);
  double error = 0;
  int count = 0;
  for (std::int64_t row = 8; row < 56; ++row) {
    for (std::int64_t column = 8; column < 88; ++column, ++count) {
      const auto at = static_cast<std::size_t>(2 * (row * 96 + column));
      error += std::hypot(static_cast<double>(flow.uv[at]) + 2.5,
                          static_cast<double>(flow.uv[at + 1]) - 1);
    }
  }
  EXPECT_LT(error / count, 0.15);
  const Mask mask = reliable(flow, seen_before(flow, estimate_flow(to, from)));
  EXPECT_GT(likeness(from, warped(to, flow), mask).reliable, 0.8);
}

TEST_F(EstimatedFlow, HasTheSameBitsAgain) {
  const Image from = waves(48, 64, 0, 0);
  const Image to = waves(48, 64, 1, 2);
  EXPECT_EQ(estimate_flow(from, to).uv, estimate_flow(from, to).uv);
}

TEST_F(EstimatedFlow, BetweenScenesIsRecognisedAsACut) {
  const Image from = waves(64, 96, 0, 0);
  Image to = waves(96, 64, 40, 7);  // turned
  std::swap(to.height, to.width);
  const Flow flow = estimate_flow(from, to);
  EXPECT_TRUE(
      likeness(from, warped(to, flow), reliable(flow, seen_before(flow, estimate_flow(to, from))))
          .is_cut());
}

TEST_F(EstimatedFlow, OfATinyPictureIsNone) {
  const Image tiny = waves(6, 9, 0, 0);
  EXPECT_EQ(estimate_flow(tiny, tiny).uv, std::vector<float>(2 * 54, 0));
}

TEST(NoEstimatedFlow, SaysWhatToInstall) {
  if (can_estimate_flow()) GTEST_SKIP() << "this build has OpenCV";
  try {
    static_cast<void>(estimate_flow({}, {}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::backend);
    EXPECT_NE(std::string(error.what()).find("libopencv-video-dev"), std::string::npos);
  }
}

}  // namespace
}  // namespace impasto::film::estimate_flow_test
