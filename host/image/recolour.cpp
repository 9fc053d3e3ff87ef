// SPDX-License-Identifier: MIT
#include "host/image/recolour.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

#include "host/core/eigen.hpp"
#include "host/core/error.hpp"

namespace impasto {
namespace {

using Vector = std::array<double, 3>;
using Matrix = std::array<Vector, 3>;

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c{};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      for (std::size_t k = 0; k < 3; ++k) c[i][j] += a[i][k] * b[k][j];
    }
  }
  return c;
}

/// a^exponent for a symmetric `a` whose eigenvalues count as at least `least`.
Matrix power(const Matrix& a, double exponent, double least) {
  std::vector<double> values;
  for (const Vector& row : a) values.insert(values.end(), row.begin(), row.end());
  values = power_of(std::move(values), 3, exponent, least);
  Matrix result{};
  for (std::size_t i = 0; i < 3; ++i) std::copy_n(&values[3 * i], 3, result[i].begin());
  return result;
}

std::vector<float> channel_of(const Image& image, std::size_t channel) {
  std::vector<float> values;
  values.reserve(image.rgb.size() / 3);
  for (std::size_t i = channel; i < image.rgb.size(); i += 3) values.push_back(image.rgb[i]);
  return values;
}

/// The value at a share of 0 to 1 of the way through sorted values, between two of them by their
/// distance.
float quantile(const std::vector<float>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const auto rest = static_cast<float>(at - static_cast<double>(below));
  return sorted[below] + rest * (sorted[above] - sorted[below]);
}

}  // namespace

ColourStatistics colour_statistics(const Image& picture, std::span<const float> weights) {
  ColourStatistics result;
  double pixels = 0;
  for (const float weight : weights) pixels += static_cast<double>(weight);
  if (weights.empty()) pixels = static_cast<double>(picture.pixels());
  const auto weight_of = [&](std::size_t pixel) {
    return weights.empty() ? 1 : static_cast<double>(weights[pixel]);
  };
  for (std::size_t i = 0; i < picture.rgb.size(); ++i) {
    result.mean[i % 3] += weight_of(i / 3) * static_cast<double>(picture.rgb[i]) / pixels;
  }
  for (std::size_t at = 0; at < picture.rgb.size(); at += 3) {
    Vector off{};
    for (std::size_t c = 0; c < 3; ++c) {
      off[c] = static_cast<double>(picture.rgb[at + c]) - result.mean[c];
    }
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j) {
        result.covariance[i][j] += weight_of(at / 3) * off[i] * off[j] / pixels;
      }
    }
  }
  return result;
}

ColourStatistics mixture(std::span<const ColourStatistics> parts, std::span<const double> shares) {
  require(parts.size() == shares.size(), "every part of a mixture needs a share");
  ColourStatistics result;
  for (std::size_t n = 0; n < parts.size(); ++n) {
    for (std::size_t c = 0; c < 3; ++c) result.mean[c] += shares[n] * parts[n].mean[c];
  }
  for (std::size_t n = 0; n < parts.size(); ++n) {
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j) {
        result.covariance[i][j] +=
            shares[n] * (parts[n].covariance[i][j] +
                         (parts[n].mean[i] - result.mean[i]) * (parts[n].mean[j] - result.mean[j]));
      }
    }
  }
  return result;
}

Image recoloured(const Image& picture, const ColourStatistics& colours) {
  constexpr double grey_level = 1;
  const ColourStatistics own = colour_statistics(picture);
  const Matrix root = power(own.covariance, 0.5, grey_level);
  const Matrix inverse = power(own.covariance, -0.5, grey_level);
  const Matrix middle = power(product(root, product(colours.covariance, root)), 0.5, 0);
  const Matrix map = product(inverse, product(middle, inverse));
  Image result = picture;
  for (std::size_t at = 0; at < result.rgb.size(); at += 3) {
    for (std::size_t i = 0; i < 3; ++i) {
      double value = colours.mean[i];
      for (std::size_t j = 0; j < 3; ++j) {
        value += map[i][j] * (static_cast<double>(picture.rgb[at + j]) - own.mean[j]);
      }
      result.rgb[at + i] = static_cast<float>(std::clamp(value, 0.0, 255.0));
    }
  }
  return result;
}

Image with_histogram_of(const Image& colours, const Image& picture) {
  Image result = picture;
  for (std::size_t c = 0; c < 3; ++c) {
    std::vector<float> wanted = channel_of(colours, c);
    std::ranges::sort(wanted);
    const std::vector<float> values = channel_of(picture, c);
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
    for (std::size_t first = 0; first < order.size();) {
      std::size_t end = first + 1;
      while (end < order.size() && values[order[end]] == values[order[first]]) ++end;
      // Equal values share their middle place.
      const double middle = static_cast<double>(first + end - 1) / 2;
      const double last = static_cast<double>(std::max<std::size_t>(order.size() - 1, 1));
      const float value = quantile(wanted, middle / last);
      for (; first < end; ++first) result.rgb[3 * order[first] + c] = value;
    }
  }
  return result;
}

Image with_chrominance_of(const Image& colours, const Image& picture) {
  require(colours.height == picture.height && colours.width == picture.width,
          "colours of {}×{} for a picture of {}×{}", colours.width, colours.height, picture.width,
          picture.height);
  Image result = picture;
  for (std::size_t i = 0; i < result.rgb.size(); i += 3) {
    // With U and V as they are, another Y moves red, green and blue alike.
    const double moved = luminance(&picture.rgb[i]) - luminance(&colours.rgb[i]);
    for (std::size_t c = 0; c < 3; ++c) {
      result.rgb[i + c] = colours.rgb[i + c] + static_cast<float>(moved);
    }
  }
  return result;
}

Image style_in(Colours colours, const Image& content, Image style) {
  if (colours == Colours::histogram) return with_histogram_of(content, style);
  if (colours == Colours::linear) return recoloured(style, colour_statistics(content));
  return style;
}

Image result_in(Colours colours, const Image& content, Image result) {
  return colours == Colours::luminance ? with_chrominance_of(content, result) : result;
}

}  // namespace impasto
