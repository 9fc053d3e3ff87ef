// SPDX-License-Identifier: MIT
#include "host/image/recolour.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

#include "host/core/error.hpp"
#include "tests/support/toy_network.hpp"

namespace impasto::test::recolour_test {
namespace {

/// Colours far enough from the ends of the range that nothing is clamped.
Image mild_image(std::int64_t height, std::int64_t width, std::uint32_t seed) {
  Image image = random_image(height, width, seed);
  for (std::size_t i = 0; i < image.rgb.size(); ++i) {
    const float grey = image.rgb[i / 3 * 3];  // so that the channels go together
    image.rgb[i] = 100 + 0.1F * image.rgb[i] + 0.05F * static_cast<float>(1 + i % 3) * grey;
  }
  return image;
}

std::vector<float> sorted_channel(const Image& image, std::size_t channel) {
  std::vector<float> values;
  for (std::size_t i = channel; i < image.rgb.size(); i += 3) values.push_back(image.rgb[i]);
  std::ranges::sort(values);
  return values;
}

void expect_near(const ColourStatistics& a, const ColourStatistics& b, double tolerance) {
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(a.mean[i], b.mean[i], tolerance);
    for (std::size_t j = 0; j < 3; ++j) {
      EXPECT_NEAR(a.covariance[i][j], b.covariance[i][j], tolerance);
    }
  }
}

TEST(Recolour, StatisticsOfTwoPixelsAreThoseByHand) {
  const Image two{1, 2, {0, 10, 20, 4, 10, 30}, {}, 8};
  const ColourStatistics statistics = colour_statistics(two);
  EXPECT_EQ(statistics.mean, (std::array<double, 3>{2, 10, 25}));
  EXPECT_EQ(statistics.covariance,
            (std::array<std::array<double, 3>, 3>{{{4, 0, 10}, {0, 0, 0}, {10, 0, 25}}}));
}

TEST(Recolour, TheResultHasTheColoursThatWereAskedFor) {
  const ColourStatistics wanted = colour_statistics(mild_image(9, 11, 7));
  const Image result = recoloured(mild_image(20, 30, 8), wanted);
  expect_near(colour_statistics(result), wanted, 1e-3);
}

TEST(Recolour, APictureInItsOwnColoursStaysAsItIs) {
  const Image picture = mild_image(20, 30, 8);
  const Image result = recoloured(picture, colour_statistics(picture));
  for (std::size_t i = 0; i < picture.rgb.size(); ++i) {
    EXPECT_NEAR(result.rgb[i], picture.rgb[i], 1e-3);
  }
}

TEST(Recolour, AMixtureOfTwoPicturesIsTheirPixelsTogether) {
  const Image one = mild_image(6, 5, 1);
  const Image other = mild_image(6, 5, 2);
  Image both = one;
  both.height = 12;
  both.rgb.insert(both.rgb.end(), other.rgb.begin(), other.rgb.end());
  const std::array<ColourStatistics, 2> parts = {colour_statistics(one), colour_statistics(other)};
  const std::array<double, 2> shares = {0.5, 0.5};
  expect_near(mixture(parts, shares), colour_statistics(both), 1e-9);
}

TEST(Recolour, APictureOfOneColourTakesTheMeanAndStaysFinite) {
  const Image flat{4, 4, std::vector<float>(48, 77), {}, 8};
  const ColourStatistics wanted = colour_statistics(mild_image(9, 11, 7));
  const Image result = recoloured(flat, wanted);
  for (std::size_t i = 0; i < result.rgb.size(); ++i) {
    EXPECT_NEAR(result.rgb[i], wanted.mean[i % 3], 1e-3);
  }
}

TEST(Recolour, ChrominanceIsTheContentsAndLuminanceTheResults) {
  const Image content{1, 2, {200, 100, 50, 10, 20, 30}, {}, 8};
  const Image result{1, 2, {90, 90, 90, 40, 40, 40}, {}, 8};
  const Image both = with_chrominance_of(content, result);
  for (std::size_t i = 0; i < 6; i += 3) {
    const float* rgb = &both.rgb[i];
    EXPECT_NEAR(0.299F * rgb[0] + 0.587F * rgb[1] + 0.114F * rgb[2], result.rgb[i], 1e-3);
    EXPECT_NEAR(rgb[0] - rgb[1], content.rgb[i] - content.rgb[i + 1], 1e-3);
    EXPECT_NEAR(rgb[1] - rgb[2], content.rgb[i + 1] - content.rgb[i + 2], 1e-3);
  }
  EXPECT_THROW((void)with_chrominance_of(Image{2, 1, content.rgb, {}, 8}, result), Error);
}

TEST(Recolour, HistogramsBecomeThoseOfTheOtherPicture) {
  const Image content = random_image(17, 23, 1);
  const Image matched = with_histogram_of(content, random_image(17, 23, 2));
  for (std::size_t c = 0; c < 3; ++c) {
    const std::vector<float> found = sorted_channel(matched, c);
    const std::vector<float> wanted = sorted_channel(content, c);
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], wanted[i], 1e-3);
  }
  // The order of values stays, and equal values stay equal.
  const Image steps{1, 4, {1, 0, 0, 5, 0, 0, 5, 0, 0, 9, 0, 0}, {}, 8};
  const Image other{1, 3, {10, 7, 7, 20, 7, 7, 30, 7, 7}, {}, 8};
  const Image found = with_histogram_of(other, steps);
  EXPECT_EQ(found.rgb[0], 10);
  EXPECT_EQ(found.rgb[3], 20);
  EXPECT_EQ(found.rgb[6], 20);
  EXPECT_EQ(found.rgb[9], 30);
}

TEST(Recolour, APictureOfOneColourTakesAnyHistogram) {
  const Image flat{4, 4, std::vector<float>(48, 77), {}, 8};
  const Image found = with_histogram_of(mild_image(9, 11, 7), flat);
  for (std::size_t i = 0; i < found.rgb.size(); ++i) {
    EXPECT_EQ(found.rgb[i], found.rgb[i % 3]);
    EXPECT_GE(found.rgb[i], 0);
    EXPECT_LE(found.rgb[i], 255);
  }
}

TEST(Recolour, OfTheFourWaysEachChangesWhatItSaysOfWhomItSays) {
  const Image content = mild_image(9, 11, 7);
  const Image style = mild_image(9, 11, 8);
  for (const Colours kept : {Colours::style, Colours::luminance}) {
    EXPECT_EQ(style_in(kept, content, style).rgb, style.rgb);
  }
  for (const Colours kept : {Colours::style, Colours::histogram, Colours::linear}) {
    EXPECT_EQ(result_in(kept, content, style).rgb, style.rgb);
  }
  EXPECT_EQ(style_in(Colours::histogram, content, style).rgb,
            with_histogram_of(content, style).rgb);
  EXPECT_EQ(style_in(Colours::linear, content, style).rgb,
            recoloured(style, colour_statistics(content)).rgb);
  EXPECT_EQ(result_in(Colours::luminance, content, style).rgb,
            with_chrominance_of(content, style).rgb);
}

}  // namespace
}  // namespace impasto::test::recolour_test
