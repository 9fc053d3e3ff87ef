// SPDX-License-Identifier: MIT
#include "host/film/flow.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "tests/support/toy_network.hpp"

namespace impasto::film::flow_test {
namespace {

using test::random_image;

/// The same motion everywhere.
Flow constant(std::int64_t height, std::int64_t width, float u, float v) {
  Flow flow{height, width, {}};
  for (std::int64_t i = 0; i < height * width; ++i) flow.uv.insert(flow.uv.end(), {u, v});
  return flow;
}

void set(Flow& flow, std::int64_t x, std::int64_t y, float u, float v) {
  const auto at = static_cast<std::size_t>(2 * (y * flow.width + x));
  flow.uv[at] = u;
  flow.uv[at + 1] = v;
}

Mask reliable_of(const Flow& backward, const Flow& forward) {
  return reliable(backward, seen_before(backward, forward));
}

/// Bilinear interpolation as it is written down: a sum over all pixels, each with its tent. In double.
double between(const Image& picture, double x, double y, std::size_t channel) {
  x = std::min(std::max(x, 0.0), static_cast<double>(picture.width - 1));
  y = std::min(std::max(y, 0.0), static_cast<double>(picture.height - 1));
  double sum = 0;
  for (std::int64_t row = 0; row < picture.height; ++row) {
    for (std::int64_t column = 0; column < picture.width; ++column) {
      const double tent = std::max(0.0, 1 - std::abs(x - static_cast<double>(column))) *
                          std::max(0.0, 1 - std::abs(y - static_cast<double>(row)));
      const auto pixel = static_cast<std::size_t>(row * picture.width + column);
      sum += tent * static_cast<double>(picture.rgb[3 * pixel + channel]);
    }
  }
  return sum;
}

TEST(Warped, IsThePictureAtWhereTheFlowLeads) {
  const Image picture = random_image(7, 9, 1);
  Flow flow = constant(7, 9, 0, 0);
  flow.uv = test::uniform(2 * 7 * 9, 2, -4, 4);
  const Image moved = warped(picture, flow);
  for (std::size_t i = 0; i < 63; ++i) {
    const double x = static_cast<double>(i % 9) + static_cast<double>(flow.uv[2 * i]);
    const double y = static_cast<double>(i / 9) + static_cast<double>(flow.uv[2 * i + 1]);
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(static_cast<double>(moved.rgb[3 * i + c]), between(picture, x, y, c), 1e-4);
    }
  }
}

TEST(Warped, ByWholePixelsHasThePicturesOwnValues) {
  const Image picture = random_image(6, 8, 3);
  const Image moved = warped(picture, constant(6, 8, 2, -1));
  for (std::int64_t y = 1; y < 6; ++y) {
    for (std::int64_t x = 0; x < 6; ++x) {
      const auto to = static_cast<std::size_t>(3 * (8 * y + x));
      const auto from = static_cast<std::size_t>(3 * (8 * (y - 1) + x + 2));
      EXPECT_EQ(moved.rgb[to], picture.rgb[from]);
    }
  }
}

TEST(Warped, StaysWhereTheFlowIsUnknown) {
  const Image picture = random_image(4, 5, 4);
  Flow flow = constant(4, 5, 1e10F, 0);
  set(flow, 2, 1, 0, std::numeric_limits<float>::quiet_NaN());
  EXPECT_EQ(warped(picture, flow).rgb, picture.rgb);
}

TEST(Resized, FlowKeepsWhereItLeads) {
  const Flow flow = resized(constant(10, 20, 4, -3), 5, 10);
  EXPECT_EQ(flow.uv, constant(5, 10, 2, -1.5).uv);
  // A motion that grows from left to right, at pixels' middles.
  Flow ramp = constant(1, 4, 0, 0);
  for (std::int64_t x = 0; x < 4; ++x) set(ramp, x, 0, static_cast<float>(x), 0);
  const Flow wide = resized(ramp, 1, 8);
  EXPECT_FLOAT_EQ(wide.uv[2 * 3], 2 * 1.25F);
}

TEST(Resized, FlowStaysUnknownInWhateverItMixesWith) {
  const Image picture = random_image(4, 8, 4);
  Flow flow = constant(8, 16, 0, 0);
  for (std::int64_t x = 0; x < 16; ++x)
    set(flow, x, 3, Flow::unknown, x % 2 == 0 ? 5 : Flow::unknown);
  const Flow half = resized(flow, 4, 8);
  EXPECT_EQ(warped(picture, half).rgb, picture.rgb);
  const Mask mask = reliable_of(half, constant(4, 8, 0, 0));
  for (std::size_t x = 0; x < 8; ++x) EXPECT_EQ(mask.values[8 + x], 0) << x;
  EXPECT_EQ(mask.values[24], 1);
}

TEST(Sharpened, HasOneOfTheMotionsThatMeet) {
  // The right half, other colours, moves by 2 pixels; the estimate turns to that over five.
  constexpr std::int64_t width = 20;
  const Image still = random_image(9, width, 5);
  const Image moving = random_image(9, width, 6);
  const auto shown = [&](std::int64_t edge, std::int64_t moved) {
    Image picture = still;
    for (std::int64_t i = 0; i < 9 * width; ++i) {
      if (i % width < edge) continue;
      std::copy_n(&moving.rgb[static_cast<std::size_t>(3 * (i - moved))], 3,
                  &picture.rgb[static_cast<std::size_t>(3 * i)]);
    }
    return picture;
  };
  const Image from = shown(10, 0);
  const Image to = shown(12, 2);
  const std::array<float, 5> turn = {0.05F, 0.6F, 1, 1.4F, 1.95F};
  Flow flow = constant(9, width, 0, 0);
  Flow known = flow;
  for (std::int64_t y = 0; y < 9; ++y) {
    for (std::int64_t x = 8; x < width; ++x) {
      set(flow, x, y, x < 13 ? turn[static_cast<std::size_t>(x - 8)] : 2, 0);
      if (x >= 10) set(known, x, y, 2, 0);
    }
  }
  const Flow found = sharpened(flow, from, to);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < found.uv.size(); ++i) wrong += found.uv[i] == known.uv[i] ? 0U : 1U;
  EXPECT_EQ(wrong, 0U);
  // Less than half a pixel is left as it is.
  for (float& value : flow.uv) value /= 5;
  EXPECT_EQ(sharpened(flow, from, to).uv, flow.uv);
}

TEST(Sharpened, TakesNoMotionThatIsUnknown) {
  // Two motions meet, and one pixel near them is unknown. What is found there has the colours at the
  // borders of the other picture, where an endless motion would lead.
  const auto values = static_cast<std::size_t>(9 * 12 * 3);
  const Image from{9, 12, std::vector<float>(values, 100), {}};
  Image to{9, 12, std::vector<float>(values, 0), {}};
  for (std::size_t i = 0; i < 9 * 12; ++i) {
    if (i % 12 == 0 || i % 12 == 11) std::fill_n(&to.rgb[3 * i], 3, 100.0F);
  }
  Flow flow = constant(9, 12, 0, 0);
  for (std::int64_t y = 0; y < 9; ++y) {
    for (std::int64_t x = 6; x < 12; ++x) set(flow, x, y, 3, 0);
  }
  for (const float value : {std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity(), -Flow::unknown}) {
    SCOPED_TRACE(value);
    Flow partly = flow;
    set(partly, 3, 4, value, 0);
    const Flow found = sharpened(partly, from, to);
    for (std::int64_t i = 0; i < 9 * 12; ++i) {
      if (i == 4 * 12 + 3) continue;
      const float u = found.uv[static_cast<std::size_t>(2 * i)];
      EXPECT_TRUE(u == 0 || u == 3) << i << " has " << u;
    }
  }
}

TEST(Reliable, IsAPanWhereTheEarlierPictureHasIt) {
  // The camera moves by three pixels: what was at x + 3 is at x, and the last three columns are new.
  const Mask mask = reliable_of(constant(4, 10, 3, 0), constant(4, 10, -3, 0));
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(mask.values[i], i % 10 <= 6 ? 1 : 0) << i;
}

TEST(Reliable, IsNotWhatDoesNotComeBack) {
  Flow backward = constant(5, 12, 3, 0);
  Flow forward = constant(5, 12, -3, 0);
  // Back to 2 pixels beside: 4 against 0.01·(25 + 9) + 0.5.
  set(forward, 3 + 3, 2, -5, 0);
  Mask mask = reliable_of(backward, forward);
  EXPECT_EQ(mask.values[2 * 12 + 3], 0);
  EXPECT_EQ(mask.values[2 * 12 + 2], 1);
  // To 0.8 beside: 0.64 against 0.01·(3.8² + 9) + 0.5 = 0.73.
  set(forward, 3 + 3, 2, -3.8F, 0);
  mask = reliable_of(backward, forward);
  EXPECT_EQ(mask.values[2 * 12 + 3], 1);
}

TEST(SeenBefore, IsWhatTheEarlierPictureHasWhereverMotionsMeet) {
  Flow still = constant(3, 8, 0, 0);
  for (std::int64_t y = 0; y < 3; ++y) {
    for (std::int64_t x = 4; x < 8; ++x) set(still, x, y, 0.2F, 0);
  }
  EXPECT_EQ(seen_before(still, constant(3, 8, 0, 0)).values, std::vector<float>(24, 1));
  const Mask mask = seen_before(constant(4, 10, 3, 0), constant(4, 10, -3, 0));
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(mask.values[i], i % 10 <= 6 ? 1 : 0) << i;
}

TEST(Reliable, IsNotWhereMotionsMeet) {
  // |∂u/∂x|² of a step of 0.2 is 0.01 on both of its sides, against 0.01·u² + 0.002.
  Flow still = constant(3, 8, 0, 0);
  for (std::int64_t y = 0; y < 3; ++y) {
    for (std::int64_t x = 4; x < 8; ++x) set(still, x, y, 0.2F, 0);
  }
  Mask mask = reliable_of(still, constant(3, 8, 0, 0));
  for (std::size_t x = 0; x < 7; ++x) EXPECT_EQ(mask.values[x], x == 3 || x == 4 ? 0 : 1) << x;
  // Fast motions may differ as much: 0.01 against 0.01·4 and more.
  for (float& value : still.uv) value = value > 0 ? -2.2F : -2.0F;
  mask = reliable_of(still, constant(3, 8, 2.1F, 2));
  EXPECT_EQ(mask.values[2 * 8 + 3], 1);
}

/// The middle row of the mask where every column moves downwards by itself.
std::vector<float> reliable_columns(const std::vector<float>& speeds) {
  constexpr std::int64_t height = 21;
  const auto width = static_cast<std::int64_t>(speeds.size());
  Flow backward = constant(height, width, 0, 0);
  Flow forward = backward;
  for (std::int64_t i = 0; i < height * width; ++i) {
    const float speed = speeds[static_cast<std::size_t>(i % width)];
    set(backward, i % width, i / width, 0, -speed);
    set(forward, i % width, i / width, 0, speed);
  }
  const Mask mask = reliable_of(backward, forward);
  const auto middle = mask.values.begin() + height / 2 * width;
  return {middle, middle + width};
}

TEST(Reliable, IsTheSlowSideOfAnEdgeAsMuchAsTheFastOne) {
  // |∂v/∂x|² is 0.04 in the third column and the third from the end, against 0.01·2.6² + 0.002 or more.
  EXPECT_EQ(reliable_columns({0, 0, 0, 0.4F, 1.5F, 2.6F, 3, 3, 3}),
            (std::vector<float>{1, 1, 1, 0, 0, 0, 1, 1, 1}));
  // What moves further away does not count: 0.01 against 0.01·0.2² + 0.002.
  EXPECT_EQ(reliable_columns({0, 0, 0, 0.2F, 0.2F, 0.2F, 0.2F, 3, 3}),
            (std::vector<float>{1, 1, 0, 0, 1, 1, 0, 0, 1}));
}

TEST(Reliable, IsWhatLeadsToTheOutermostPixels) {
  // A flow that is not quite 0, and one that leads out of the picture.
  EXPECT_EQ(reliable_of(constant(3, 4, -0.02F, 0.4F), constant(3, 4, 0.02F, -0.4F)).values,
            std::vector<float>(12, 1));
  EXPECT_EQ(reliable_of(constant(3, 4, 0, 0.6F), constant(3, 4, 0, -0.6F)).values,
            (std::vector<float>{1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0}));
}

TEST(Reliable, IsNotWhatIsUnknown) {
  Flow backward = constant(6, 6, 0, 0);
  Flow forward = constant(6, 6, 0, 0);
  set(backward, 1, 1, Flow::unknown, Flow::unknown);
  set(forward, 4, 4, std::numeric_limits<float>::quiet_NaN(), 0);
  const Mask mask = reliable_of(backward, forward);
  EXPECT_EQ(mask.values[6 * 1 + 1], 0);
  EXPECT_EQ(mask.values[6 * 4 + 4], 0);
  EXPECT_EQ(mask.values[6 * 3 + 2], 1);
}

TEST(Likeness, TellsTheSameSceneFromAnother) {
  const Image frame = random_image(32, 32, 7);
  const Mask all{32, 32, std::vector<float>(1024, 1)};
  const Mask none{32, 32, std::vector<float>(1024, 0)};
  const Likeness same = likeness(frame, frame, all);
  EXPECT_EQ(same.residual, 0);
  EXPECT_EQ(same.reliable, 1);
  EXPECT_FALSE(same.is_cut());
  const Likeness other = likeness(frame, random_image(32, 32, 8), none);
  EXPECT_GT(other.residual, 1);
  EXPECT_TRUE(other.is_cut());
  // The flow of smoke or water agrees with nothing, but the picture is the same.
  EXPECT_FALSE(likeness(frame, frame, none).is_cut());
  // Two black frames.
  const Image black{32, 32, std::vector<float>(3072, 0), {}};
  EXPECT_FALSE(likeness(black, black, none).is_cut());
}

TEST(LongTerm, HoldsEachPixelToTheNearestFrameThatShowsIt) {
  const Image near = random_image(1, 4, 1);
  const Image far = random_image(1, 4, 2);
  const Image further = random_image(1, 4, 3);
  LongTerm held;
  held.add(near, {1, 4, {1, 0, 0, 0}});
  held.add(far, {1, 4, {1, 1, 0, 0}});
  held.add(further, {1, 4, {0, 1, 1, 0}});
  EXPECT_EQ(held.mask().values, (std::vector<float>{1, 1, 1, 0}));
  const Image* expected[] = {&near, &far, &further, &near};
  for (std::size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(held.picture().rgb[i], expected[i / 3]->rgb[i]) << i;
  }
}

/// The paper's sum over several frames, in double, against one term.
TEST(LongTerm, IsTheSumOfThePapersTerms) {
  const std::vector<Image> frames = {random_image(5, 6, 1), random_image(5, 6, 2),
                                     random_image(5, 6, 3)};
  const Image x = random_image(5, 6, 4);
  std::vector<Mask> masks;
  LongTerm held;
  for (std::uint32_t j = 0; j < 3; ++j) {
    masks.push_back({5, 6, test::uniform(30, 10 + j, 0, 1)});
    for (float& value : masks.back().values) value = value > 0.5F ? 1 : 0;
    held.add(frames[j], masks.back());
  }
  const auto term = [&x](const Image& frame, std::size_t pixel) {
    double sum = 0;
    for (std::size_t i = 3 * pixel; i < 3 * pixel + 3; ++i) {
      const double difference = static_cast<double>(x.rgb[i]) - static_cast<double>(frame.rgb[i]);
      sum += difference * difference;
    }
    return sum;
  };
  for (std::size_t p = 0; p < 30; ++p) {
    double expected = 0;
    double nearer = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      const auto c = static_cast<double>(masks[j].values[p]);
      expected += std::max(c - nearer, 0.0) * term(frames[j], p);
      nearer += c;
    }
    EXPECT_DOUBLE_EQ(static_cast<double>(held.mask().values[p]) * term(held.picture(), p),
                     expected);
  }
}

}  // namespace
}  // namespace impasto::film::flow_test
