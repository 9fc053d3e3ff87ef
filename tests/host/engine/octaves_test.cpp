// SPDX-License-Identifier: MIT
// Styles that are compared at several sizes of the picture at once.
#include <gtest/gtest.h>

#include "host/backend/registry.hpp"
#include "host/engine/stylizer.hpp"
#include "tests/support/toy_network.hpp"

namespace impasto::octaves_test {
namespace {

using test::random_image;

/// Sides are even.
Image half(const Image& picture) {
  Image result{picture.height / 2, picture.width / 2, {}, {}};
  const std::int64_t row = picture.width * 3;
  for (std::int64_t y = 0; y < result.height; ++y) {
    for (std::int64_t x = 0; x < result.width * 3; ++x) {
      const float* corner = &picture.rgb[static_cast<std::size_t>(2 * y * row + x / 3 * 6 + x % 3)];
      result.rgb.push_back((corner[0] + corner[3] + corner[row] + corner[row + 3]) / 4);
    }
  }
  return result;
}

class Octaves : public testing::Test {
 protected:
  Octaves() {
    config_.objective["content"].layers = {{"conv1_2", 1}};
    config_.objective["style"].layers = {{"conv1_1", 0.3}, {"conv2_1", 0.7}};
    config_.objective["tv"].weight = 1;
  }

  Losses losses(std::int64_t octaves, bool halved = false, const char* backend = "reference") {
    config_.objective.octaves = octaves;
    const auto made = make_backend(backend, Precision::fp32);
    Session session(*made, test::random_weights(3), config_.objective);
    const auto at = [halved](const Image& picture) { return halved ? half(picture) : picture; };
    const Style style{at(style_), 1};
    return score(session, config_, at(picture_), at(content_), std::span(&style, 1));
  }

  Config config_ = preset("coursera");
  const Image picture_ = random_image(36, 44, 1);
  const Image content_ = random_image(36, 44, 2);
  const Image style_ = random_image(40, 34, 3);
};

TEST_F(Octaves, AreTheMeanOverPicturesThatAreHalved) {
  const Losses whole = losses(1);
  const Losses coarse = losses(1, true);
  for (const char* backend : {"reference", "cpu", "simt"}) {
    SCOPED_TRACE(backend);
    const Losses both = losses(2, false, backend);
    EXPECT_NEAR(both["style"].value / ((whole["style"].value + coarse["style"].value) / 2), 1,
                1e-5);
    EXPECT_NEAR(both["content"].value / whole["content"].value, 1, 1e-5);
    EXPECT_NEAR(both["tv"].value / whole["tv"].value, 1, 1e-5);
  }
}

/// A third would have a side of 9.
TEST_F(Octaves, OfFewerThanSixteenPixelsAreLeftOut) { EXPECT_EQ(losses(5).total, losses(2).total); }

TEST_F(Octaves, OfAnIterationAreThoseOfAnEvaluation) {
  config_.objective.octaves = 2;
  config_.optimizer = AdamOptions{.learning_rate = 1};
  const auto backend = make_backend("cpu", Precision::fp32);
  Session session(*backend, test::random_weights(3), config_.objective);
  const Style style{style_, 1};
  Stylizer stylizer(session, config_, std::span(&content_, 1), std::span(&style, 1),
                    std::span(&picture_, 1));
  for (int step = 0; step < 3; ++step) {  // the last two as they were recorded
    const double expected = stylizer.evaluate().front().total;
    stylizer.step();
    EXPECT_NEAR(stylizer.losses().front().total / expected, 1, 1e-6);
  }
}

}  // namespace
}  // namespace impasto::octaves_test
