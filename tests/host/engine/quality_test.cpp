// SPDX-License-Identifier: MIT
#include "host/engine/quality.hpp"

#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <random>

#include "host/api/engine.hpp"

namespace impasto::quality_test {
namespace {

std::vector<float> noise(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(generator() % 2001) / 1000.0F - 1.0F;
  return values;
}

Activation map_of(std::int64_t pixels, std::int64_t channels, unsigned seed) {
  return {pixels, 1, channels, noise(static_cast<std::size_t>(pixels * channels), seed)};
}

Image picture_of(std::int64_t height, std::int64_t width, unsigned seed) {
  Image image{height, width, noise(static_cast<std::size_t>(3 * height * width), seed), {}};
  for (float& value : image.rgb) value = 127.5F * (value + 1);
  return image;
}

TEST(Quality, CosineOfHandWorkedLists) {
  const std::array<float, 3> a = {3, 0, 4};
  EXPECT_DOUBLE_EQ(cosine(a, a), 1);
  EXPECT_DOUBLE_EQ(cosine(a, std::array<float, 3>{0, 2, 0}), 0);
  EXPECT_DOUBLE_EQ(cosine(a, std::array<float, 3>{-6, 0, -8}), -1);
  EXPECT_NEAR(cosine(a, std::array<float, 3>{1, 1, 0}), 3 / (5 * std::sqrt(2.0)), 1e-15);
  EXPECT_EQ(cosine(a, std::array<float, 3>{0, 0, 0}), 0);
}

TEST(Quality, MomentsAreThePlainSums) {
  for (const std::int64_t channels : {1, 3, 16, 17, 37}) {
    const std::int64_t pixels = 11;
    Activation map = map_of(pixels, channels, 5);
    for (std::size_t i = 0; i < map.values.size(); i += 3) map.values[i] = 0;
    const Moments moments = moments_of(map);
    const auto at = [&](std::int64_t p, std::int64_t c) {
      return double{map.values[static_cast<std::size_t>(p * channels + c)]};
    };
    for (std::int64_t i = 0; i < channels; ++i) {
      double mean = 0;
      for (std::int64_t p = 0; p < pixels; ++p) mean += at(p, i) / 11.0;
      EXPECT_NEAR(moments.mean[static_cast<std::size_t>(i)], mean, 1e-15);
      for (std::int64_t j = 0; j < channels; ++j) {
        double sum = 0;
        for (std::int64_t p = 0; p < pixels; ++p) sum += at(p, i) * at(p, j) / 11.0;
        EXPECT_NEAR(moments.gram[static_cast<std::size_t>(i * channels + j)], sum, 1e-15);
      }
    }
  }
}

TEST(Quality, WeightedMomentsCountAPixelAsItsWeightSays) {
  const Activation map = map_of(3, 5, 4);
  Activation repeated{4, 1, 5, map.values};  // the last pixel twice, the second not at all
  for (std::size_t c = 0; c < 5; ++c) {
    repeated.values[5 + c] = map.values[10 + c];
    repeated.values.push_back(map.values[c]);
  }
  const Moments expected = moments_of(repeated);
  const Moments weighted = moments_of(map, std::array<float, 3>{0.5F, 0, 0.5F});
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(weighted.mean[i], expected.mean[i], 1e-15);
  for (std::size_t i = 0; i < 25; ++i) EXPECT_NEAR(weighted.gram[i], expected.gram[i], 1e-15);
}

TEST(Quality, MixedMomentsAreThoseOfAllPixelsTogether) {
  const Activation a = map_of(10, 4, 1);
  const Activation b = map_of(30, 4, 2);
  Activation both{40, 1, 4, a.values};
  both.values.insert(both.values.end(), b.values.begin(), b.values.end());
  const std::array<Moments, 2> parts = {moments_of(a), moments_of(b)};
  const Moments together = mixed(parts, std::array<double, 2>{1, 3});
  const Moments expected = moments_of(both);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(together.mean[i], expected.mean[i], 1e-14);
  for (std::size_t i = 0; i < 16; ++i) EXPECT_NEAR(together.gram[i], expected.gram[i], 1e-14);
}

TEST(Quality, GramDistanceOfHandWorkedMatrices) {
  const Moments style{{0, 0}, {3, 0, 0, 4}};
  EXPECT_DOUBLE_EQ(gram_distance(style, style), 0);
  EXPECT_DOUBLE_EQ(gram_distance({{0, 0}, {6, 0, 0, 8}}, style), 1);
  EXPECT_DOUBLE_EQ(gram_distance({{0, 0}, {3, 2, 2, 4}}, style), std::sqrt(8.0) / 5);
}

/// The definition, pixel by pixel and window by window.
double plain_edge_ssim(const Image& a, const Image& b) {
  const std::int64_t height = a.height;
  const std::int64_t width = a.width;
  const auto edges = [&](const Image& image) {
    const auto light = [&](std::int64_t y, std::int64_t x) {
      y = std::min(std::max<std::int64_t>(y, 0), height - 1);
      x = std::min(std::max<std::int64_t>(x, 0), width - 1);
      const float* rgb = &image.rgb[static_cast<std::size_t>(3 * (y * width + x))];
      return 0.299 * double{rgb[0]} + 0.587 * double{rgb[1]} + 0.114 * double{rgb[2]};
    };
    std::vector<double> all;
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x) {
        double across = 0;
        double down = 0;
        for (std::int64_t i = -1; i <= 1; ++i) {
          for (std::int64_t j = -1; j <= 1; ++j) {
            const double smooth_i = i == 0 ? 2 : 1;
            const double smooth_j = j == 0 ? 2 : 1;
            across += smooth_i * static_cast<double>(j) * light(y + i, x + j);
            down += smooth_j * static_cast<double>(i) * light(y + i, x + j);
          }
        }
        all.push_back(std::sqrt(across * across + down * down) / 4);
      }
    }
    return all;
  };
  const std::vector<double> ea = edges(a);
  const std::vector<double> eb = edges(b);
  double total = 0;
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      double weights = 0;
      double ma = 0;
      double mb = 0;
      double aa = 0;
      double bb = 0;
      double ab = 0;
      for (std::int64_t v = std::max<std::int64_t>(y - 5, 0); v <= std::min(y + 5, height - 1);
           ++v) {
        for (std::int64_t u = std::max<std::int64_t>(x - 5, 0); u <= std::min(x + 5, width - 1);
             ++u) {
          const auto far = static_cast<double>((v - y) * (v - y) + (u - x) * (u - x));
          const double w = std::exp(-far / 4.5);
          const auto at = static_cast<std::size_t>(v * width + u);
          weights += w;
          ma += w * ea[at];
          mb += w * eb[at];
          aa += w * ea[at] * ea[at];
          bb += w * eb[at] * eb[at];
          ab += w * ea[at] * eb[at];
        }
      }
      ma /= weights;
      mb /= weights;
      const double var_a = aa / weights - ma * ma;
      const double var_b = bb / weights - mb * mb;
      const double cov = ab / weights - ma * mb;
      const double c1 = 2.55 * 2.55;
      const double c2 = 7.65 * 7.65;
      total +=
          (2 * ma * mb + c1) * (2 * cov + c2) / ((ma * ma + mb * mb + c1) * (var_a + var_b + c2));
    }
  }
  return total / static_cast<double>(height * width);
}

TEST(Quality, EdgeSsimIsTheDefinition) {
  for (const auto& [height, width] : {std::pair{1, 1}, {1, 7}, {13, 3}, {17, 23}}) {
    const Image a = picture_of(height, width, 1);
    Image b = picture_of(height, width, 2);
    EXPECT_NEAR(edge_ssim(a, b), plain_edge_ssim(a, b), 1e-12) << height << "x" << width;
    for (std::size_t i = 0; i < b.rgb.size(); ++i) b.rgb[i] = 0.8F * a.rgb[i] + 0.2F * b.rgb[i];
    EXPECT_NEAR(edge_ssim(a, b), plain_edge_ssim(a, b), 1e-12) << height << "x" << width;
    EXPECT_NEAR(edge_ssim(a, a), 1, 1e-12);
  }
  // Colours and brightness are no edges.
  Image lighter = picture_of(9, 9, 3);
  for (float& value : lighter.rgb) value = value / 2;
  Image moved = lighter;
  for (float& value : moved.rgb) value += 100;
  EXPECT_NEAR(edge_ssim(lighter, moved), 1, 1e-6);
}

/// 2·KL of normal distributions by an inverse and determinants from Gauss's elimination.
double plain_divergence(const Moments& x, const Moments& s, std::size_t n, std::size_t k) {
  const auto covariance = [&](const Moments& m, std::size_t i, std::size_t j) {
    return m.gram[i * n + j] - m.mean[i] * m.mean[j];
  };
  // [Σs | I] becomes [I | Σs⁻¹]; the pivots' product is the determinant.
  const auto eliminated = [&](const Moments& m, std::vector<double>& inverse) {
    std::vector<double> a(k * 2 * k, 0);
    for (std::size_t i = 0; i < k; ++i) {
      for (std::size_t j = 0; j < k; ++j) a[i * 2 * k + j] = covariance(m, i, j);
      a[i * 2 * k + k + i] = 1;
    }
    double log_det = 0;
    for (std::size_t c = 0; c < k; ++c) {
      const double pivot = a[c * 2 * k + c];
      log_det += std::log(pivot);
      for (std::size_t j = 0; j < 2 * k; ++j) a[c * 2 * k + j] /= pivot;
      for (std::size_t i = 0; i < k; ++i) {
        const double factor = a[i * 2 * k + c];
        for (std::size_t j = 0; j < 2 * k && i != c; ++j) {
          a[i * 2 * k + j] -= factor * a[c * 2 * k + j];
        }
      }
    }
    for (std::size_t i = 0; i < k; ++i) {
      for (std::size_t j = 0; j < k; ++j) inverse[i * k + j] = a[i * 2 * k + k + j];
    }
    return log_det;
  };
  std::vector<double> inverse(k * k);
  std::vector<double> unused(k * k);
  const double log_det_s = eliminated(s, inverse);
  double twice = log_det_s - eliminated(x, unused) - static_cast<double>(k);
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j < k; ++j) {
      twice += inverse[i * k + j] *
               (covariance(x, j, i) + (x.mean[i] - s.mean[i]) * (x.mean[j] - s.mean[j]));
    }
  }
  return twice / 2;
}

TEST(Quality, DivergenceInAllDirectionsIsThatOfTheWholeDistributions) {
  for (const std::size_t n : {1U, 2U, 5U, 23U}) {
    const auto channels = static_cast<std::int64_t>(n);
    Activation x = map_of(200, channels, 7);
    for (std::size_t i = 0; i < x.values.size(); ++i) {
      x.values[i] = 2 * x.values[i] + static_cast<float>(i % n);
    }
    const Moments picture = moments_of(x);
    const Moments style = moments_of(map_of(300, channels, 8));
    const auto value = minus_log_divergence(picture, style, n);
    ASSERT_TRUE(value);
    EXPECT_NEAR(*value, -std::log(plain_divergence(picture, style, n, n)), 1e-9) << n;
  }
}

TEST(Quality, DivergenceLooksWhereTheStyleVariesMost) {
  // The style's axes are the channels, the first two with the largest variances.
  Moments style{{1, 2, 3, 4}, std::vector<double>(16, 0)};
  const std::array<double, 4> variances = {9, 7, 0.5, 0.25};
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 4; ++j) style.gram[i * 4 + j] = style.mean[i] * style.mean[j];
    style.gram[i * 4 + i] += variances.at(i);
  }
  const Moments picture = moments_of(map_of(100, 4, 3));
  for (const std::size_t rank : {1U, 2U, 3U}) {
    const auto value = minus_log_divergence(picture, style, rank);
    ASSERT_TRUE(value);
    EXPECT_NEAR(*value, -std::log(plain_divergence(picture, style, 4, rank)), 1e-9) << rank;
  }
}

TEST(Quality, DivergenceOfWhatDoesNotVaryIsNone) {
  const Moments style = moments_of(map_of(100, 4, 3));
  const Moments flat = moments_of({1, 1, 4, {1, 2, 3, 4}});
  EXPECT_FALSE(minus_log_divergence(flat, style, 2));
  EXPECT_FALSE(minus_log_divergence(style, flat, 2));
  EXPECT_GT(*minus_log_divergence(style, style, 4), 20);
}

TEST(Quality, WeightsOfTheEStatisticAreThePapers) {
  const EStatistic e{1, 10, 100};
  EXPECT_DOUBLE_EQ(e.e(), 0.7468 + 2.557 + 237.68);
}

TEST(Quality, HeldOutLayersAreNotThoseOfTheObjective) {
  Objective objective = preset("impasto").objective;
  objective["style"].layers = {{.layer = "conv1_2", .weight = 1},
                               {.layer = "conv3_2", .weight = 1}};
  objective["content"].layers = {{.layer = "conv2_2", .weight = 1}};
  const auto all = [](std::string_view) { return true; };
  const QualityLayers layers = layers_of_quality(objective, false, all);
  EXPECT_EQ(layers.held_out, (std::vector<std::string>{"conv2_2", "conv4_1"}));
  EXPECT_EQ(layers.content, (std::vector<std::string>{"conv4_1", "conv5_1"}));
  EXPECT_TRUE(layers.e.empty());
  EXPECT_EQ(layers_of_quality(objective, true, all).e.size(), 3U);
  const QualityLayers shallow =
      layers_of_quality(objective, true, [](std::string_view name) { return name < "conv3"; });
  EXPECT_EQ(shallow.held_out, std::vector<std::string>{"conv2_2"});
  EXPECT_TRUE(shallow.content.empty());
}

TEST(Quality, AssessesByTheActivationsOfTheNetwork) {
  Engine engine({.backend = "reference"});
  const Image image = draw_sample("scene", 32);
  const Image content = draw_sample("painting", 32);
  const std::array<Style, 2> styles = {Style{draw_sample("painting", 32), 1},
                                       Style{draw_sample("scene", 40), 3}};
  const auto session = engine.session(PoolKind{}, "conv2_2");
  const QualityLayers layers{.content = {"conv2_1"}, .held_out = {"conv1_2", "conv2_2"}, .e = {}};
  const Quality quality = assess(*session, layers, image, content, styles);
  const auto features = [&](const Image& of, const char* layer) {
    return activation(*session, of, layer);
  };
  ASSERT_EQ(quality.content_cosine.size(), 1U);
  EXPECT_DOUBLE_EQ(quality.content_cosine[0].second,
                   cosine(features(image, "conv2_1").values, features(content, "conv2_1").values));
  ASSERT_EQ(quality.style.held_out_gram.size(), 2U);
  for (const auto& [layer, distance] : quality.style.held_out_gram) {
    const std::array<Moments, 2> parts = {moments_of(features(styles[0].image, layer.c_str())),
                                          moments_of(features(styles[1].image, layer.c_str()))};
    EXPECT_DOUBLE_EQ(distance, gram_distance(moments_of(features(image, layer.c_str())),
                                             mixed(parts, std::array<double, 2>{1, 3})));
    EXPECT_GT(distance, 0.01);
  }
  EXPECT_EQ(quality.edge_ssim, edge_ssim(image, content));
  EXPECT_FALSE(quality.style.e);
  EXPECT_TRUE(quality.of_styles.empty());
  const Quality same = assess(*session, layers, content, content, std::span(styles).first(1));
  EXPECT_NEAR(same.content_cosine[0].second, 1, 1e-12);
  EXPECT_NEAR(same.style.held_out_gram[1].second, 0, 1e-12);
}

/// The mean of each cell of a mask, squared: what a pixel of a map counts for.
std::vector<double> plain_weights(const Mask& mask, std::int64_t step) {
  std::vector<double> weights;
  for (std::int64_t y = 0; y < mask.height; y += step) {
    for (std::int64_t x = 0; x < mask.width; x += step) {
      double sum = 0;
      for (std::int64_t cell = 0; cell < step * step; ++cell) {
        sum += double{mask.values[static_cast<std::size_t>((y + cell / step) * mask.width + x +
                                                           cell % step)]};
      }
      const double mean = sum / static_cast<double>(step * step);
      weights.push_back(mean * mean);
    }
  }
  return weights;
}

/// ‖G − A‖ / ‖A‖ of Gram matrices in which pixels count by their weights, entry by entry.
double plain_gram_distance(const Activation& picture, const std::vector<double>& of_picture,
                           const Activation& style, const std::vector<double>& of_style) {
  const auto entry = [](const Activation& map, const std::vector<double>& weights, std::int64_t i,
                        std::int64_t j) {
    double sum = 0;
    double all = 0;
    for (std::size_t p = 0; p < weights.size(); ++p) {
      const float* f = &map.values[p * static_cast<std::size_t>(map.channels)];
      sum += weights[p] * double{f[i]} * double{f[j]};
      all += weights[p];
    }
    return sum / all;
  };
  double off = 0;
  double norm = 0;
  for (std::int64_t i = 0; i < style.channels; ++i) {
    for (std::int64_t j = 0; j < style.channels; ++j) {
      const double wanted = entry(style, of_style, i, j);
      off += std::pow(entry(picture, of_picture, i, j) - wanted, 2);
      norm += wanted * wanted;
    }
  }
  return std::sqrt(off / norm);
}

TEST(Quality, AssessesEachStyleWhereItsMasksShowIt) {
  Engine engine({.backend = "reference"});
  const Image image = draw_sample("scene", 32);
  const auto soft = [](const Image& of, unsigned seed) {
    Mask mask{of.height, of.width, noise(static_cast<std::size_t>(of.height * of.width), seed)};
    for (float& value : mask.values) value = std::max(value, 0.0F);
    return mask;
  };
  std::array<Style, 2> styles = {Style{draw_sample("painting", 32), 1},
                                 Style{draw_sample("scene", 32), 3}};
  styles[0].mask = soft(image, 1);
  styles[0].style_mask = soft(styles[0].image, 2);
  styles[1].mask = soft(image, 3);
  const auto session = engine.session(PoolKind{}, "conv2_2");
  const QualityLayers layers{.content = {}, .held_out = {"conv1_2", "conv2_2"}, .e = {}};
  const Quality quality = assess(*session, layers, image, image, styles);
  ASSERT_EQ(quality.of_styles.size(), 2U);
  for (std::size_t at = 0; at < layers.held_out.size(); ++at) {
    const std::string& layer = layers.held_out[at];
    const std::int64_t step = at == 0 ? 1 : 2;
    double mean = 0;
    for (std::size_t k = 0; k < styles.size(); ++k) {
      const Style& style = styles.at(k);
      const Mask white{style.image.height, style.image.width,
                       std::vector<float>(style.image.rgb.size() / 3, 1)};
      const double expected =
          plain_gram_distance(activation(*session, image, layer), plain_weights(*style.mask, step),
                              activation(*session, style.image, layer),
                              plain_weights(style.style_mask.value_or(white), step));
      // The weights are floats.
      EXPECT_NEAR(quality.of_styles[k].held_out_gram[at].second, expected, 1e-6) << layer;
      mean += (k == 0 ? 0.25 : 0.75) * expected;
    }
    EXPECT_NEAR(quality.style.held_out_gram[at].second, mean, 1e-6) << layer;
  }
}

/// A picture that is one style on the left and another on the right is as both are.
TEST(Quality, APictureOfTwoStylesSideBySideIsAtNoDistanceOfThem) {
  Engine engine({.backend = "reference"});
  const Image left = draw_sample("painting", 32);
  Image image = draw_sample("scene", 32);
  const Image right = image;
  // No pixel of the regions sees across the border at column 16.
  const std::size_t pixels = image.rgb.size() / 3;
  Mask on_the_left{image.height, image.width, std::vector<float>(pixels, 0)};
  Mask on_the_right = on_the_left;
  for (std::size_t p = 0; p < pixels; ++p) {
    if (p % 32 < 16) std::copy_n(&left.rgb[3 * p], 3, &image.rgb[3 * p]);
    if (p % 32 < 12) on_the_left.values[p] = 1;
    if (p % 32 >= 20) on_the_right.values[p] = 1;
  }
  const auto session = engine.session(PoolKind{}, "conv1_2");
  const QualityLayers layers{.content = {}, .held_out = {"conv1_2"}, .e = {}};
  const std::array<Style, 2> own = {Style{left, 1, on_the_left, on_the_left},
                                    Style{right, 1, on_the_right, on_the_right}};
  const Quality quality = assess(*session, layers, image, image, own);
  for (const StyleQuality& style : quality.of_styles) {
    EXPECT_NEAR(style.held_out_gram[0].second, 0, 1e-6);
  }
  const std::array<Style, 2> crossed = {Style{left, 1, on_the_right, on_the_left},
                                        Style{right, 1, on_the_left, on_the_right}};
  const Quality other = assess(*session, layers, image, image, crossed);
  for (const StyleQuality& style : other.of_styles) EXPECT_GT(style.held_out_gram[0].second, 0.1);
}

}  // namespace
}  // namespace impasto::quality_test
