// SPDX-License-Identifier: MIT
// What weights say of their network decides what runs.
#include <gmock/gmock.h>

#include "host/backend/registry.hpp"
#include "host/core/error.hpp"
#include "host/engine/stylization.hpp"
#include "tests/support/toy_network.hpp"

namespace impasto::networks_test {
namespace {

using test::random_image;
using test::random_weights;
using ::testing::HasSubstr;

constexpr PoolKind average{kernels::PoolMode::average, kernels::PoolRounding::up};

Activation activation_of(const Weights& weights, const Image& image, std::string_view layer) {
  const auto backend = make_backend("reference");
  Session session(*backend, weights, average, weights.layers->index(layer));
  return activation(session, image, layer);
}

TEST(Networks, SeePixelsLessTheirMeanOverTheirDeviation) {
  const Image image = random_image(7, 9, 1);
  Weights weights = random_weights(0);
  weights.mean = {120, 110, 100};
  weights.deviation = {58, 40, 0.5};
  Image scaled = image;
  for (std::size_t i = 0; i < image.rgb.size(); ++i) {
    scaled.rgb[i] = (image.rgb[i] - weights.mean.at(i % 3)) / weights.deviation.at(i % 3);
  }
  const Activation found = activation_of(weights, image, "conv1_1");
  weights.mean = {0, 0, 0};
  weights.deviation = {1, 1, 1};
  const Activation expected = activation_of(weights, scaled, "conv1_1");
  const float largest = *std::max_element(expected.values.begin(), expected.values.end());
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    EXPECT_NEAR(found.values[i], expected.values[i], 1e-5 * static_cast<double>(largest)) << i;
  }
}

TEST(Networks, OfThirteenConvolutionsHaveNoFourthInABlock) {
  const Weights weights = random_weights(10, vgg16);
  const Activation below = activation_of(weights, random_image(24, 16, 1), "pool3");
  EXPECT_EQ(below.height, 3);
  EXPECT_EQ(below.channels, 256);
  const Activation found = activation_of(weights, random_image(24, 16, 1), "conv4_1");
  EXPECT_EQ(found.width, 2);
  EXPECT_EQ(found.channels, 512);
}

TEST(Networks, PoolWithAMaximumAndABlur) {
  const auto backend = make_backend("reference");
  const PoolKind max_blur{kernels::PoolMode::max_blur, kernels::PoolRounding::up};
  Session session(*backend, random_weights(3, vgg16), max_blur, 3);
  const Activation found = activation(session, random_image(12, 9, 1), "conv2_1");
  EXPECT_EQ(found.height, 7);
  EXPECT_EQ(found.width, 5);
  try {
    static_cast<void>(activation(session, random_image(3, 9, 1), "pool1"));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("too small for pool1"));
  }
}

TEST(Networks, RefuseAnObjectiveWithALayerTheyLack) {
  Objective objective = preset("impasto").objective;
  objective["content"].layers = {{"conv3_4", 1}};
  EXPECT_NO_THROW(check(objective, vgg19));
  try {
    check(objective, vgg16);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("VGG-16 has no layer 'conv3_4'"));
  }
}

TEST(Networks, OfFewerLayersTakeLessMemory) {
  const auto backend = make_backend("cpu", Precision::fp32);
  const Config config = preset("coursera");
  const std::vector<Shape> style = {{1, 32, 32, 3}};
  const auto weights = [&](const VggLayers& layers) {
    return estimate_memory(*backend, layers, config, {1, 32, 32, 3}, style).weights;
  };
  constexpr std::size_t conv3_4 = 9 * 256 * 256;
  constexpr std::size_t conv4_4 = 9 * 512 * 512;
  EXPECT_EQ(weights(vgg19) - weights(vgg16), 2 * (conv3_4 + conv4_4) * sizeof(float));
}

}  // namespace
}  // namespace impasto::networks_test
