// SPDX-License-Identifier: MIT
#include "host/image/resize.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <numbers>
#include <omp.h>

#include "tests/host/image/fixtures.hpp"

namespace impasto::test::resize_test {
namespace {

struct Rule {
  std::int64_t height, width, size, new_height, new_width;
};

class ResizeRule : public testing::TestWithParam<Rule> {};

TEST_P(ResizeRule, MakesTheLongerSideTheSize) {
  const Rule& rule = GetParam();
  const TemporaryFolder folder;
  save_image(gradient_image(rule.height, rule.width, 8, false), folder.file("a.png"));
  const Image image = load_image(folder.file("a.png"), rule.size);
  EXPECT_EQ(image.height, rule.new_height);
  EXPECT_EQ(image.width, rule.new_width);
  EXPECT_EQ(image.rgb.size(), static_cast<std::size_t>(3 * rule.new_height * rule.new_width));
}

INSTANTIATE_TEST_SUITE_P(Sizes, ResizeRule,
                         testing::Values(Rule{30, 40, 20, 15, 20}, Rule{40, 30, 20, 20, 15},
                                         Rule{30, 40, 80, 60, 80}, Rule{33, 100, 10, 3, 10},
                                         Rule{35, 100, 10, 4, 10}, Rule{1, 300, 10, 1, 10},
                                         Rule{1, 1, 7, 7, 7}, Rule{2, 3, 3, 2, 3},
                                         Rule{50, 50, 1, 1, 1}));

TEST(Resize, RefusesSizesOutsideTheLimits) {
  const TemporaryFolder folder;
  save_image(gradient_image(4, 4, 8, false), folder.file("a.png"));
  for (const std::int64_t size : {std::int64_t{0}, std::int64_t{-5}, std::int64_t{1} << 40}) {
    error_of(ErrorKind::usage, [&] { load_image(folder.file("a.png"), size); });
  }
  error_of(ErrorKind::usage, [&] { load_image(folder.file("a.png"), 20000); });
}

TEST(Resize, KeepsAFlatColourAndTheBits) {
  Image image{9, 13, std::vector<float>(9 * 13 * 3, 37.25F), {}, 16};
  for (const auto& [height, width] : {std::pair{4, 5}, {31, 40}, {1, 1}, {9, 2}}) {
    const Image other = resize(image, height, width);
    EXPECT_EQ(other.bits, 16);
    for (const float value : other.rgb) EXPECT_NEAR(value, 37.25F, 1e-4F);
  }
  EXPECT_EQ(resize(image, 9, 13).rgb, image.rgb);
}

TEST(Resize, EnlargesByTheLanczosFormula) {
  constexpr int from = 16;
  constexpr int factor = 4;
  Image image{1, from, std::vector<float>(3 * from, 100.0F), {}, 8};
  image.rgb[3 * 8] = 150;  // one red point
  const Image large = resize(image, 1, from * factor);
  const auto kernel = [](double x) {
    const double p = std::numbers::pi * x;
    return x == 0 ? 1.0 : std::abs(x) < 3 ? 3 * std::sin(p) * std::sin(p / 3) / (p * p) : 0.0;
  };
  for (int i = 12; i < 52; ++i) {
    const double at = (i + 0.5) / factor - 0.5;
    double sum = 0;
    for (int j = 0; j < from; ++j) sum += kernel(j - at);
    EXPECT_NEAR(large.rgb[static_cast<std::size_t>(3 * i)], 100 + 50 * kernel(8 - at) / sum, 1e-3)
        << i;
    EXPECT_NEAR(large.rgb[static_cast<std::size_t>(3 * i + 1)], 100, 1e-3);
  }
}

TEST(Resize, ShrinkingLeavesNoAlias) {
  constexpr std::int64_t side = 120;
  Image image{side, side, {}, {}, 8};
  for (std::int64_t i = 0; i < side * side; ++i) {
    const float value = (i % side + i / side) % 2 == 0 ? 0.0F : 255.0F;
    image.rgb.insert(image.rgb.end(), 3, value);
  }
  const Image small = resize(image, 30, 30);
  for (std::int64_t y = 3; y < 27; ++y) {
    for (std::int64_t x = 3; x < 27; ++x) EXPECT_NEAR(colour_at(small, y, x)[0], 127.5F, 1.0F);
  }
}

TEST(Resize, TransparentPixelsLeaveNoFringe) {
  // White where it can be seen, black where it cannot: without weighting by alpha the edge goes
  // grey.
  Image image{64, 64, {}, {}, 8};
  for (int i = 0; i < 64 * 64; ++i) {
    const bool visible = i % 64 < 31;
    image.rgb.insert(image.rgb.end(), 3, visible ? 255.0F : 0.0F);
    image.alpha.push_back(visible ? 255.0F : 0.0F);
  }
  for (const std::int64_t side : {16, 23, 150}) {
    const Image other = resize(image, side, side);
    ASSERT_EQ(other.alpha.size(), static_cast<std::size_t>(side * side));
    for (std::size_t i = 0; i < other.alpha.size(); ++i) {
      EXPECT_TRUE(other.alpha[i] < 4 || std::abs(other.rgb[3 * i] - 255) < 0.01F) << i;
      EXPECT_GE(other.alpha[i], 0.0F);
      EXPECT_LE(other.alpha[i], 255.0F);
    }
  }
}

TEST(Resize, StaysInRange) {
  Image image{20, 20, {}, {}, 8};
  for (int i = 0; i < 400; ++i) image.rgb.insert(image.rgb.end(), 3, i % 20 < 10 ? 0.0F : 255.0F);
  for (const float value : resize(image, 33, 47).rgb) {
    EXPECT_GE(value, 0.0F);
    EXPECT_LE(value, 255.0F);
  }
}

TEST(Resize, GivesTheSameBitsOnAnyNumberOfThreads) {
  const TemporaryFolder folder;
  const int threads = omp_get_max_threads();
  save_image(gradient_image(211, 307, 16, true), folder.file("a.png"));
  save_image(gradient_image(211, 307, 8, false), folder.file("b.jpg"));
  for (const auto* name : {"a.png", "b.jpg"}) {
    omp_set_num_threads(1);
    vips_concurrency_set(1);
    const Image one = load_image(folder.file(name), 100);
    for (const int count : {2, 3, 8}) {
      omp_set_num_threads(count);
      vips_concurrency_set(count);
      const Image many = load_image(folder.file(name), 100);
      EXPECT_EQ(many.rgb, one.rgb);
      EXPECT_EQ(many.alpha, one.alpha);
    }
  }
  omp_set_num_threads(threads);
  vips_concurrency_set(0);
}

}  // namespace
}  // namespace impasto::test::resize_test
