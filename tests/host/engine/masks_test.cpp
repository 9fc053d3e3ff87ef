// SPDX-License-Identifier: MIT
// Styles that count where their masks say so.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "host/backend/registry.hpp"
#include "host/engine/guides.hpp"
#include "host/engine/stylization.hpp"
#include "tests/support/toy_network.hpp"

namespace impasto::masks_test {
namespace {

using test::random_image;
using test::random_weights;

constexpr std::int64_t height = 20;
constexpr std::int64_t width = 64;

Mask filled(std::int64_t rows, std::int64_t columns, float value) {
  return {rows, columns, std::vector<float>(static_cast<std::size_t>(rows * columns), value)};
}

/// White in the columns [begin, end).
Mask columns(std::int64_t begin, std::int64_t end) {
  Mask mask = filled(height, width, 0);
  for (std::size_t i = 0; i < mask.values.size(); ++i) {
    const auto x = static_cast<std::int64_t>(i) % width;
    if (x >= begin && x < end) mask.values[i] = 1;
  }
  return mask;
}

Mask soft(std::int64_t rows, std::int64_t columns, std::uint32_t seed) {
  return {rows, columns, test::uniform(rows * columns, seed, 0, 1)};
}

/// The loss of the style alone and its gradient at the pixels.
struct Evaluated {
  double loss;
  std::vector<float> gradient;
};

/// With the style loss that the parameter names.
class Masks : public testing::TestWithParam<std::string> {
 protected:
  Masks() {
    config_.objective["content"].weight = 0;
    config_.objective["content"].layers = {{"conv1_1", 1}};
    config_.objective["tv"].weight = 0;
    config_.optimizer = AdamOptions{.learning_rate = 0};
    const Loss style{.name = "style", .weight = 40};
    for (AnyLoss& any : config_.objective.losses) {
      if (common(any).name != "style") continue;
      if (GetParam() == "Wasserstein") any = WassersteinLoss{style, {.channel_power = 1}};
      if (GetParam() == "statistics") any = StatisticsLoss{style, {.channel_power = 1}};
    }
    config_.objective["style"].layers = {{"conv1_1", 0.3}, {"conv2_1", 0.7}};
    // The roots of larger matrices take their time.
    if (GetParam() == "Wasserstein") config_.objective["style"].layers = {{"conv1_1", 1}};
  }

  Evaluated evaluate(std::vector<Style> styles, bool guided = true, const Image& at = picture()) {
    config_.objective.guided = guided;
    Session session(*backend_, random_weights(3), config_.objective);
    Stylizer stylizer(session, config_, std::span(&at, 1), styles, std::span(&at, 1));
    stylizer.step();
    Evaluated result{stylizer.losses().front().total, {}};
    result.gradient.resize(static_cast<std::size_t>(stylizer.plan().gradient().shape.count()));
    backend_->read(result.gradient, stylizer.plan().gradient());
    return result;
  }

  static const Image& picture() {
    static const Image made = random_image(height, width, 1);
    return made;
  }

  std::unique_ptr<Backend> backend_ = make_backend("reference");
  Config config_ = preset("coursera");
  const Style one_{random_image(18, 22, 2), 1};
  const Style other_{random_image(25, 17, 3), 1};
};

/// What holds for every kind of style loss.
class EveryMask : public Masks {};

Style masked(Style style, std::optional<Mask> mask, std::optional<Mask> style_mask = {}) {
  style.mask = std::move(mask);
  style.style_mask = std::move(style_mask);
  return style;
}

void expect_near(const Evaluated& found, const Evaluated& expected) {
  EXPECT_NEAR(found.loss / expected.loss, 1, 1e-6);
  double off = 0;
  double all = 0;
  for (std::size_t i = 0; i < expected.gradient.size(); ++i) {
    off = std::max(off, std::abs(static_cast<double>(found.gradient[i] - expected.gradient[i])));
    all = std::max(all, std::abs(static_cast<double>(expected.gradient[i])));
  }
  EXPECT_GT(all, 0);
  EXPECT_LT(off / all, 1e-6);
}

TEST_P(EveryMask, ThatAreWhiteGiveTheLossAndGradientOfNone) {
  const Evaluated plain = evaluate({one_}, false);
  expect_near(evaluate({masked(one_, filled(height, width, 1), filled(18, 22, 1))}), plain);
  expect_near(evaluate({one_}), plain);
}

/// However dark it is, a mask of one grey selects the whole picture; as light as it is, it counts.
TEST_P(Masks, OfOneGreyCountAsItsSquare) {
  Evaluated plain = evaluate({one_}, false);
  plain.loss /= 4;
  for (float& value : plain.gradient) value /= 4;
  expect_near(evaluate({masked(one_, filled(height, width, 0.5F), filled(18, 22, 0.1F))}), plain);
}

TEST_P(Masks, LeaveWhatTheyHideWithoutAGradient) {
  const Evaluated half = evaluate({masked(one_, columns(0, 32))});
  // conv2_1 sees 2·(1 + 1) + 1 pixels beside the two that its own stands for.
  constexpr std::int64_t reach = 6;
  double hidden = 0;
  double shown = 0;
  for (std::size_t i = 0; i < half.gradient.size(); ++i) {
    const auto x = static_cast<std::int64_t>(i / 3) % width;
    const double size = std::abs(static_cast<double>(half.gradient[i]));
    if (x >= 32 + reach) hidden = std::max(hidden, size);
    if (x < 32) shown = std::max(shown, size);
  }
  EXPECT_EQ(hidden, 0);
  EXPECT_GT(shown, 0);
}

/// But for what pixels at the seam see of the other half.
TEST_P(EveryMask, OfHalfAPictureGiveHalfTheGradientOfThatHalfAlone) {
  config_.objective["style"].layers = {{"conv1_1", 1}};
  config_.objective.padding = Padding::replicate;
  Image alone{height, width / 2, {}, {}};
  for (std::size_t i = 0; i < picture().rgb.size(); ++i) {
    if (static_cast<std::int64_t>(i / 3) % width < alone.width) {
      alone.rgb.push_back(picture().rgb[i]);
    }
  }
  const Evaluated half = evaluate({masked(one_, columns(0, alone.width))});
  const Evaluated whole = evaluate({one_}, false, alone);
  EXPECT_NEAR(half.loss / whole.loss, 0.5, 0.1);
  double off = 0;
  double all = 0;
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < 3 * (alone.width - 6); ++x) {
      const auto found = half.gradient[static_cast<std::size_t>(y * width * 3 + x)];
      const auto expected = whole.gradient[static_cast<std::size_t>(y * alone.width * 3 + x)] / 2;
      off += std::pow(static_cast<double>(found - expected), 2);
      all += std::pow(static_cast<double>(expected), 2);
    }
  }
  EXPECT_LT(std::sqrt(off / all), 0.2);  // 0.13 observed
}

TEST_P(Masks, OfTheStyleSelectAPartOfItsPicture) {
  // The left half of this style is the other one; the right half is noise.
  Style halves{random_image(25, 34, 9), 1};
  Mask left = filled(25, 34, 0);
  for (std::int64_t y = 0; y < 25; ++y) {
    for (std::int64_t x = 0; x < 17; ++x) {
      left.values[static_cast<std::size_t>(y * 34 + x)] = 1;
      for (std::int64_t c = 0; c < 3; ++c) {
        halves.image.rgb[static_cast<std::size_t>((y * 34 + x) * 3 + c)] =
            other_.image.rgb[static_cast<std::size_t>((y * 17 + x) * 3 + c)];
      }
    }
  }
  config_.objective["style"].layers = {{"conv1_1", 1}};
  const double alone = evaluate({other_}, false).loss;
  const double selected = evaluate({masked(halves, {}, left)}).loss;
  const double all = evaluate({masked(halves, {})}).loss;
  // What differs is a column at the edge, which sees noise in place of the padding.
  EXPECT_LT(std::abs(selected - alone), 0.2 * std::abs(all - alone));
}

TEST_P(Masks, AddTheLossesOfTheirStyles) {
  const Style left = masked(one_, columns(0, 24), soft(18, 22, 5));
  const Style right = masked(other_, columns(24, width));
  const Evaluated first = evaluate({left});
  Evaluated both = evaluate({right});
  both.loss += first.loss;
  for (std::size_t i = 0; i < both.gradient.size(); ++i) both.gradient[i] += first.gradient[i];
  expect_near(evaluate({left, right}), both);
}

TEST_P(Masks, WeighTheirStyles) {
  Style left = masked(one_, soft(height, width, 5));
  Style right = masked(other_, soft(height, width, 6));
  const double first = evaluate({left}).loss;
  const double second = evaluate({right}).loss;
  left.weight = 3;
  EXPECT_NEAR(evaluate({left, right}).loss / (1.5 * first + 0.5 * second), 1, 1e-6);
  right.weight = 0;
  EXPECT_NEAR(evaluate({left, right}).loss / (2 * first), 1, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Of, Masks, testing::Values("Gram"));
INSTANTIATE_TEST_SUITE_P(Of, EveryMask, testing::Values("Gram", "statistics", "Wasserstein"),
                         [](const auto& instance) { return instance.param; });

/// A region's style is as strong as it would be without masks, however small the region is.
TEST(Guides, KeepTheStrengthOfAStyleInASmallRegion) {
  const Style style{random_image(4, 4, 1), 1, columns(0, width / 4)};
  const Guides guides = make_guides(style, 1, {1, height, width, 64}, {1, 2, 2, 64});
  EXPECT_EQ(guides.picture.front(), 4);
  EXPECT_EQ(guides.picture.back(), 0);
  EXPECT_EQ(guides.style.front(), 1);
  EXPECT_EQ(guides.strength, 0.25);
  const Guides coarse = make_guides(style, 1, {1, height / 4, width / 4, 64}, {1, 2, 2, 64});
  EXPECT_EQ(coarse.picture.front(), guides.picture.front());
}

/// What a stylization remembers of one style must not serve the same picture with another mask.
TEST_P(Masks, BelongToWhatIsRememberedOfAStyle) {
  const auto cpu = make_backend("cpu", Precision::fp32);
  config_.objective.guided = true;
  config_.optimizer = AdamOptions{.learning_rate = 1};
  config_.iterations = 2;
  Session session(*cpu, random_weights(3), config_.objective);
  const std::vector<Style> left = {masked(one_, columns(0, 24))};
  const std::vector<Style> right = {masked(one_, columns(24, width))};
  const std::vector<Image> contents = {picture(), random_image(height, width, 8)};
  const auto run = [&](Stylization& stylization, const std::vector<Style>& styles) {
    return stylization.run(contents, styles, contents, 1, [](const Progress&) { return true; });
  };
  Stylization used(session, config_, pixel_shape(contents), shapes_of(left));
  const Stylized first = run(used, left);
  const Stylized second = run(used, right);
  Stylization fresh(session, config_, pixel_shape(contents), shapes_of(right));
  EXPECT_EQ(run(fresh, right).pictures[1].rgb, second.pictures[1].rgb);
  EXPECT_EQ(run(used, left).pictures[1].rgb, first.pictures[1].rgb);
  EXPECT_NE(first.pictures[1].rgb, second.pictures[1].rgb);
}

TEST_P(EveryMask, AreTheSameOnEveryBackendAndForEachPictureOfABatch) {
  config_.objective.guided = true;
  const std::vector<Style> styles = {masked(one_, soft(10, 16, 5), soft(18, 22, 6)),
                                     masked(other_, columns(0, 40))};
  const std::vector<Image> contents = {random_image(10, 16, 1), random_image(10, 16, 8)};
  const Evaluated second = evaluate(styles, true, contents[1]);
  using Device = std::pair<const char*, Precision>;
  for (const auto& [name, precision] :
       {Device{"reference", Precision::fp32}, Device{"cpu", Precision::fp32},
        Device{"cpu", Precision::bf16}, Device{"simt", Precision::fp32},
        Device{"simt", Precision::fp16}}) {
    SCOPED_TRACE(testing::Message() << name << ", " << to_string(precision));
    const double limit = precision == Precision::fp32 ? 1e-4 : 3e-2;
    const auto backend = make_backend(name, precision);
    Session session(*backend, random_weights(3), config_.objective);
    Stylizer stylizer(session, config_, contents, styles, contents);
    stylizer.step();
    // As it was recorded, but for roots of matrices, which take the host-SIMT machine seconds.
    if (GetParam() != "Wasserstein") stylizer.step();
    const std::vector<Losses> losses = stylizer.losses();
    EXPECT_NEAR(losses[1].total / second.loss, 1, limit);
    std::vector<float> gradient(static_cast<std::size_t>(stylizer.plan().gradient().shape.count()));
    backend->read(gradient, stylizer.plan().gradient());
    const double scale = stylizer.plan().gradient_scale();
    double off = 0;
    double all = 0;
    for (std::size_t i = 0; i < second.gradient.size(); ++i) {
      const auto wanted = static_cast<double>(second.gradient[i]);
      const auto found = static_cast<double>(gradient[second.gradient.size() + i]) / scale;
      off += std::pow(found - wanted, 2);
      all += wanted * wanted;
    }
    EXPECT_LT(std::sqrt(off / all), limit);
  }
}

}  // namespace
}  // namespace impasto::masks_test
