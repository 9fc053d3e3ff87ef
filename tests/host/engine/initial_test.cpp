// SPDX-License-Identifier: MIT
#include "host/engine/initial.hpp"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>

#include "host/image/recolour.hpp"
#include "host/model/vgg.hpp"
#include "tests/support/toy_network.hpp"

namespace impasto::initial_test {
namespace {

using test::random_image;

TEST(Initial, MixIsNoiseRatioPartsOfNoiseAroundTheMean) {
  Config config = preset("coursera");
  const Image content = random_image(9, 7, 1);
  const Image mix = make_initial(config, content, {});
  for (std::size_t i = 0; i < mix.rgb.size(); ++i) {
    const float mean = vgg_mean[i % 3];
    const float noise = (mix.rgb[i] - mean - 0.4F * (content.rgb[i] - mean)) / 0.6F;
    EXPECT_LE(std::abs(noise), 20.001F);
  }
}

TEST(Initial, NoiseDependsOnTheSeedAndNothingElse) {
  Config config = preset("coursera");
  config.init = Init::random;
  const Image first = make_initial(config, random_image(9, 7, 1), {});
  EXPECT_EQ(first.rgb, make_initial(config, random_image(9, 7, 2), {}).rgb);
  config.seed = 1;
  EXPECT_NE(first.rgb, make_initial(config, random_image(9, 7, 1), {}).rgb);
}

TEST(Initial, NoiseFillsItsRange) {
  Config config = preset("coursera");
  config.init = Init::random;
  Image noise = make_initial(config, random_image(64, 64, 1), {});
  double sum = 0;
  float lowest = 0;
  float highest = 0;
  for (std::size_t i = 0; i < noise.rgb.size(); ++i) {
    const float value = noise.rgb[i] - vgg_mean[i % 3];
    sum += static_cast<double>(value);
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
  }
  EXPECT_NEAR(sum / static_cast<double>(noise.rgb.size()), 0, 0.5);
  EXPECT_NEAR(lowest, -20, 0.1);
  EXPECT_NEAR(highest, 20, 0.1);
}

TEST(Initial, RecolouredIsTheContentInTheColoursOfAllStyles) {
  Config config;
  config.init = Init::recoloured;
  const Image content = random_image(16, 12, 1);
  const std::array<Style, 2> styles = {Style{{1, 2, {100, 120, 90, 100, 120, 90}, {}, 8}, 3},
                                       Style{{1, 1, {140, 80, 90}, {}, 8}, 1}};
  const Image initial = make_initial(config, content, styles);
  ASSERT_EQ(initial.rgb.size(), content.rgb.size());
  const ColourStatistics colours = colour_statistics(initial);
  EXPECT_NEAR(colours.mean[0], 110, 1e-3);  // three parts of 100 to one of 140
  EXPECT_NEAR(colours.mean[1], 110, 1e-3);
  EXPECT_NEAR(colours.mean[2], 90, 1e-3);
  EXPECT_NEAR(colours.covariance[0][0], 300, 0.1);
  EXPECT_NEAR(colours.covariance[0][1], -300, 0.1);
}

TEST(Initial, StyleStatisticsAreNoiseInTheColoursOfTheStyle) {
  Config config;
  config.init = Init::style_statistics;
  const Style style{{1, 2, {90, 120, 60, 130, 100, 80}, {}, 8}, 1};
  const auto initial = [&](std::uint32_t content, std::uint64_t seed) {
    config.seed = seed;
    return make_initial(config, random_image(40, 30, content), std::span(&style, 1));
  };
  const Image noise = initial(1, 5);
  const ColourStatistics colours = colour_statistics(noise);
  EXPECT_NEAR(colours.mean[0], 110, 1e-2);
  EXPECT_NEAR(colours.mean[2], 70, 1e-2);
  EXPECT_NEAR(colours.covariance[0][0], 400, 1);
  EXPECT_NEAR(colours.covariance[0][1], -200, 1);
  EXPECT_EQ(initial(2, 5).rgb, noise.rgb) << "whatever the content is";
  EXPECT_NE(initial(1, 6).rgb, noise.rgb);
}

TEST(Initial, WithoutAStyleRecolouredIsTheContent) {
  Config config;
  config.init = Init::recoloured;
  const Image content = random_image(16, 12, 1);
  EXPECT_EQ(make_initial(config, content, {}).rgb, content.rgb);
}

TEST(Initial, WithMasksEachRegionHasTheColoursOfItsStyle) {
  Config config;
  config.init = Init::recoloured;
  const Image content = random_image(6, 12, 1);
  const auto columns = [](std::int64_t begin, std::int64_t end) {
    Mask mask{6, 12, std::vector<float>(72)};
    for (std::int64_t i = 0; i < 72; ++i) {
      mask.values[static_cast<std::size_t>(i)] = i % 12 >= begin && i % 12 < end ? 1 : 0;
    }
    return mask;
  };
  Style red{{1, 2, {200, 20, 10, 210, 30, 20}, {}, 8}, 1, columns(0, 5)};
  const Style blue{{1, 2, {10, 20, 200, 20, 10, 210}, {}, 8}, 1, columns(4, 9)};
  const std::array<Style, 2> styles = {red, blue};
  config.objective.guided = true;
  const Image initial = make_initial(config, content, styles);
  const auto of_one = [&](const Style& style) {
    return recoloured(content, colour_statistics(style.image));
  };
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_EQ(initial.rgb[c], of_one(red).rgb[c]);
    EXPECT_EQ(initial.rgb[3 * 8 + c], of_one(blue).rgb[3 * 8 + c]);
    const std::size_t both = 3 * 4 + c;
    EXPECT_FLOAT_EQ(initial.rgb[both], (of_one(red).rgb[both] + of_one(blue).rgb[both]) / 2);
    EXPECT_EQ(initial.rgb[3 * 11 + c], content.rgb[3 * 11 + c]) << "where no style goes";
  }
  // The part of a style picture that its mask shows.
  red.style_mask = Mask{1, 2, {1, 0}};
  const Image one_red = make_initial(config, content, std::span(&red, 1));
  EXPECT_EQ(one_red.rgb[0], recoloured(content, {{200, 20, 10}, {}}).rgb[0]);
  // One that does not count has its colours as well: its region is of no other style.
  std::array<Style, 2> uneven = styles;
  uneven[0].weight = 0;
  EXPECT_EQ(make_initial(config, content, uneven).rgb, initial.rgb);
}

}  // namespace
}  // namespace impasto::initial_test
