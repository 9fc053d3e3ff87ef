// SPDX-License-Identifier: MIT
#include "host/image/recolour.hpp"

#include <gtest/gtest.h>

#include "tests/support/toy_network.hpp"

namespace impasto::test {
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

}  // namespace
}  // namespace impasto::test
