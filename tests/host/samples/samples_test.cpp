// SPDX-License-Identifier: MIT
#include "host/samples/samples.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <gtest/gtest.h>
#include <omp.h>
#include <vector>

#include "host/core/digest.hpp"
#include "host/image/resize.hpp"

namespace impasto::samples_test {
namespace {

using Draw = Image (*)(std::int64_t, std::int64_t);

class Samples : public testing::TestWithParam<Draw> {};

TEST_P(Samples, AreInRangeAtAnySize) {
  for (const auto& [height, width] :
       {std::pair{1, 1}, {7, 5}, {1, 40}, {40, 1}, {33, 200}, {96, 128}}) {
    const Image image = GetParam()(height, width);
    EXPECT_EQ(image.height, height);
    EXPECT_EQ(image.width, width);
    EXPECT_TRUE(image.alpha.empty());
    ASSERT_EQ(image.rgb.size(), static_cast<std::size_t>(3 * height * width));
    for (const float value : image.rgb) {
      ASSERT_GE(value, 0.0F);
      ASSERT_LE(value, 255.0F);
    }
  }
}

TEST_P(Samples, HaveTheSameBitsOnAnyNumberOfThreads) {
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const Image one = GetParam()(150, 200);
  for (const int count : {2, 5}) {
    omp_set_num_threads(count);
    EXPECT_EQ(GetParam()(150, 200).rgb, one.rgb);
  }
  omp_set_num_threads(threads);
}

/// Contrast at several scales is what they are for: neighbouring blocks of each size must differ.
TEST_P(Samples, HaveStructureAtEveryScale) {
  const Image image = GetParam()(192, 256);
  for (const std::int64_t block : {1, 4, 16, 64}) {
    const Image small = resize(image, 192 / block, 256 / block);
    double sum = 0;
    for (std::size_t i = 3; i < small.rgb.size(); ++i)
      sum += std::abs(small.rgb[i] - small.rgb[i - 3]);
    EXPECT_GT(sum / static_cast<double>(small.rgb.size()), 4.0) << "blocks of " << block;
  }
}

TEST_P(Samples, ShowTheSamePictureAtEverySize) {
  const Image direct = GetParam()(192, 256);
  const Image from_large = resize(GetParam()(384, 512), 192, 256);
  double sum = 0;
  for (std::size_t i = 0; i < direct.rgb.size(); ++i)
    sum += std::abs(direct.rgb[i] - from_large.rgb[i]);
  EXPECT_LT(sum / static_cast<double>(direct.rgb.size()), 8.0);
}

/// The built-in network is calibrated on these pixels: they are the same on every machine, and
/// whoever changes them must mean it.
TEST_P(Samples, AreThePicturesTheyWere) {
  const Image image = GetParam()(96, 128);
  std::vector<std::byte> bytes;
  for (const float value : image.rgb) bytes.push_back(static_cast<std::byte>(value + 0.5F));
  EXPECT_EQ(sha256(bytes).substr(0, 16),
            GetParam() == &draw_scene ? "d7cdef145b86ade0" : "b9fcebbc934c65dd");
}

INSTANTIATE_TEST_SUITE_P(Both, Samples, testing::Values(&draw_scene, &draw_painting),
                         [](const auto& instance) {
                           return instance.index == 0 ? "scene" : "painting";
                         });

}  // namespace
}  // namespace impasto::samples_test
