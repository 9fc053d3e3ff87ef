// SPDX-License-Identifier: MIT
#include "host/image/mask.hpp"

#include <gtest/gtest.h>

namespace impasto::mask_test {
namespace {

TEST(Mask, IsTheLuminanceOfAPictureAndNothingWhereItIsTransparent) {
  const Image picture{
      1, 4, {255, 255, 255, 0, 255, 0, 0, 0, 0, 255, 255, 255}, {255, 255, 255, 51}};
  const Mask mask = mask_of(picture);
  EXPECT_FLOAT_EQ(mask.values[0], 1);
  EXPECT_FLOAT_EQ(mask.values[1], 0.587F);
  EXPECT_EQ(mask.values[2], 0);
  EXPECT_FLOAT_EQ(mask.values[3], 0.2F);
  EXPECT_FALSE(mask.black());
  EXPECT_TRUE((Mask{1, 2, {0, 0}}).black());
}

TEST(Mask, GetsTheMeanOfTheAreaThatAPixelCovers) {
  const Mask mask{2, 4, {0, 1, 0.5F, 0.5F, 1, 0, 0, 0}};
  EXPECT_EQ(averaged(mask, 1, 2).values, (std::vector<float>{0.5F, 0.25F}));
  // Three columns of 4/3 each.
  const std::vector<float> three = averaged(mask, 2, 3).values;
  EXPECT_FLOAT_EQ(three[0], 0.25F);
  EXPECT_FLOAT_EQ(three[1], 0.75F);
  EXPECT_FLOAT_EQ(three[2], 0.5F);
  EXPECT_EQ(averaged(mask, 2, 4), mask);
  const Mask larger = averaged(mask, 4, 4);
  EXPECT_EQ(larger.values[0], larger.values[4]);
}

TEST(Mask, KeepsItsMeanAtAnySize) {
  const Mask mask{3, 2, {0.25F, 1, 0, 0.5F, 0.75F, 0.5F}};
  for (const auto& [height, width] : {std::pair{1, 1}, {2, 2}, {5, 7}, {3, 1}}) {
    const Mask other = averaged(mask, height, width);
    double sum = 0;
    for (const float value : other.values) sum += static_cast<double>(value);
    EXPECT_NEAR(sum / (height * width), 0.5, 1e-6);
  }
}

}  // namespace
}  // namespace impasto::mask_test
