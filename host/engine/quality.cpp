// SPDX-License-Identifier: MIT
#include "host/engine/quality.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

#include "host/core/eigen.hpp"
#include "host/core/error.hpp"
#include "host/engine/guides.hpp"

namespace impasto {
namespace {

/// The ranks at conv1_1, conv2_1 and conv3_1.
constexpr std::array<std::size_t, 3> e_ranks = {32, 48, 128};

bool compares_style_at(const Objective& objective, std::string_view layer) {
  return std::ranges::any_of(objective.losses, [layer](const AnyLoss& any) {
    const Loss& loss = common(any);
    return loss.name != "content" && loss.weight != 0 &&
           std::ranges::find(loss.layers, layer, &LayerWeight::layer) != loss.layers.end();
  });
}

// Edges.

/// One value for each pixel.
struct Plane {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<double> values = {};

  [[nodiscard]] double at(std::int64_t y, std::int64_t x) const {
    return values[static_cast<std::size_t>(std::clamp<std::int64_t>(y, 0, height - 1) * width +
                                           std::clamp<std::int64_t>(x, 0, width - 1))];
  }
};

template <class Of>
Plane plane_of(std::int64_t height, std::int64_t width, Of of) {
  Plane plane{height, width};
  plane.values.resize(static_cast<std::size_t>(height * width));
#pragma omp parallel for schedule(static)
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      plane.values[static_cast<std::size_t>(y * width + x)] = of(y, x);
    }
  }
  return plane;
}

/// The length of Sobel's gradient of the luminance; a step from black to white has 255.
Plane edges_of(const Image& image) {
  const Plane light = plane_of(image.height, image.width, [&](std::int64_t y, std::int64_t x) {
    return luminance(&image.rgb[static_cast<std::size_t>(3 * (y * image.width + x))]);
  });
  return plane_of(image.height, image.width, [&](std::int64_t y, std::int64_t x) {
    const auto column = [&](std::int64_t at) {
      return light.at(y - 1, at) + 2 * light.at(y, at) + light.at(y + 1, at);
    };
    const auto row = [&](std::int64_t at) {
      return light.at(at, x - 1) + 2 * light.at(at, x) + light.at(at, x + 1);
    };
    return std::hypot(column(x + 1) - column(x - 1), row(y + 1) - row(y - 1)) / 4;
  });
}

/// The mean around each pixel, by a Gauss function of deviation 1.5 in a square of 11×11 pixels. At the
/// borders the pixels that there are count.
Plane local_mean(const Plane& plane) {
  constexpr std::int64_t radius = 5;
  std::array<double, radius + 1> weights{};
  for (std::int64_t i = 0; i <= radius; ++i) {
    weights[static_cast<std::size_t>(i)] = std::exp(-static_cast<double>(i * i) / (2 * 1.5 * 1.5));
  }
  const auto along = [&](std::int64_t centre, std::int64_t side, auto value) {
    double sum = 0;
    double all = 0;
    for (std::int64_t i = std::max<std::int64_t>(centre - radius, 0);
         i <= std::min(centre + radius, side - 1); ++i) {
      const double weight = weights[static_cast<std::size_t>(std::abs(i - centre))];
      sum += weight * value(i);
      all += weight;
    }
    return sum / all;
  };
  const Plane rows = plane_of(plane.height, plane.width, [&](std::int64_t y, std::int64_t x) {
    return along(x, plane.width, [&](std::int64_t i) { return plane.at(y, i); });
  });
  return plane_of(plane.height, plane.width, [&](std::int64_t y, std::int64_t x) {
    return along(y, plane.height, [&](std::int64_t i) { return rows.at(i, x); });
  });
}

Plane local_mean_of_product(const Plane& a, const Plane& b) {
  return local_mean(plane_of(
      a.height, a.width, [&](std::int64_t y, std::int64_t x) { return a.at(y, x) * b.at(y, x); }));
}

// Matrices, (n,n) in rows.

using Matrix = std::vector<double>;

Matrix covariance_of(const Moments& moments) {
  const std::size_t n = moments.channels();
  Matrix covariance = moments.gram;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      covariance[i * n + j] -= moments.mean[i] * moments.mean[j];
    }
  }
  return covariance;
}

/// UᵀAU for the first k columns of U.
Matrix projected(const Matrix& a, const Matrix& u, std::size_t n, std::size_t k) {
  Matrix half(n * k, 0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t m = 0; m < n; ++m) {
      for (std::size_t j = 0; j < k; ++j) half[i * k + j] += a[i * n + m] * u[m * n + j];
    }
  }
  Matrix result(k * k, 0);
  for (std::size_t m = 0; m < n; ++m) {
    for (std::size_t i = 0; i < k; ++i) {
      for (std::size_t j = 0; j < k; ++j) result[i * k + j] += u[m * n + i] * half[m * k + j];
    }
  }
  return result;
}

/// log det A by Cholesky's method; nothing where A is not positive definite, as far as doubles tell.
std::optional<double> log_determinant(Matrix a, std::size_t n) {
  double largest = 0;
  for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, a[i * n + i]);
  double sum = 0;
  for (std::size_t j = 0; j < n; ++j) {
    double pivot = a[j * n + j];
    for (std::size_t k = 0; k < j; ++k) pivot -= a[j * n + k] * a[j * n + k];
    if (!(pivot > 1e-14 * largest)) return std::nullopt;
    const double root = a[j * n + j] = std::sqrt(pivot);
    sum += 2 * std::log(root);
    for (std::size_t i = j + 1; i < n; ++i) {
      double value = a[i * n + j];
      for (std::size_t k = 0; k < j; ++k) value -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = value / root;
    }
  }
  return sum;
}

// Styles.

/// The moments of a map by layer, one for each style or one for all.
using MomentsByLayer = std::map<std::string, std::vector<Moments>, std::less<>>;

/// The moments of what a mask shows of a map.
Moments moments_seen(const Activation& features, const std::optional<Mask>& mask) {
  if (!mask) return moments_of(features);
  return moments_of(features,
                    guide_weights(mask, {1, features.height, features.width, features.channels}));
}

/// `picture` and `style` give the moments at a layer.
template <class Picture, class Wanted>
StyleQuality compared(const QualityLayers& layers, Picture picture, Wanted style) {
  StyleQuality quality;
  for (const std::string& layer : layers.held_out) {
    quality.held_out_gram.emplace_back(layer, gram_distance(picture(layer), style(layer)));
  }
  std::vector<double> e;
  for (std::size_t i = 0; i < layers.e.size(); ++i) {
    const std::string& layer = layers.e[i];
    const auto value = minus_log_divergence(picture(layer), style(layer), e_ranks.at(i));
    if (value) e.push_back(*value);
  }
  if (e.size() == e_ranks.size()) quality.e = EStatistic{e[0], e[1], e[2]};
  return quality;
}

/// No E statistic where one of them has none.
StyleQuality mean_of(std::span<const StyleQuality> parts, std::span<const double> weights) {
  const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
  StyleQuality mean{.held_out_gram = parts.front().held_out_gram, .e = EStatistic{}};
  for (auto& [layer, distance] : mean.held_out_gram) distance = 0;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const double share = weights[k] / all;
    for (std::size_t i = 0; i < mean.held_out_gram.size(); ++i) {
      mean.held_out_gram[i].second += share * parts[k].held_out_gram[i].second;
    }
    if (!parts[k].e) mean.e.reset();
    if (!mean.e) continue;
    mean.e->e1 += share * parts[k].e->e1;
    mean.e->e2 += share * parts[k].e->e2;
    mean.e->e3 += share * parts[k].e->e3;
  }
  return mean;
}

}  // namespace

double cosine(std::span<const float> a, std::span<const float> b) {
  require(a.size() == b.size(), "a cosine of lists of {} and {} values", a.size(), b.size());
  double product = 0;
  double squares_a = 0;
  double squares_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    product += double{a[i]} * double{b[i]};
    squares_a += double{a[i]} * double{a[i]};
    squares_b += double{b[i]} * double{b[i]};
  }
  return squares_a > 0 && squares_b > 0 ? product / std::sqrt(squares_a) / std::sqrt(squares_b) : 0;
}

Moments moments_of(const Activation& features, std::span<const float> weights) {
  const auto channels = static_cast<std::size_t>(features.channels);
  const std::size_t pixels = features.values.size() / channels;
  require(weights.empty() || weights.size() == pixels, "{} weights of {} pixels", weights.size(),
          pixels);
  Moments sums{std::vector<double>(channels, 0), std::vector<double>(channels * channels, 0)};
  // A thread has rows of its own, and each sum goes through the pixels in their order.
  constexpr std::size_t rows = 16;
  const std::size_t blocks = (channels + rows - 1) / rows;
#pragma omp parallel for schedule(dynamic)
  for (std::size_t block = 0; block < blocks; ++block) {
    const std::size_t end = std::min((block + 1) * rows, channels);
    for (std::size_t p = 0; p < pixels; ++p) {
      const float* f = &features.values[p * channels];
      const double weight = weights.empty() ? 1 : weights[p];
      for (std::size_t i = block * rows; i < end; ++i) {
        const double value = weight * f[i];
        if (value == 0) continue;  // after a ReLU, many are
        sums.mean[i] += value;
        double* row = &sums.gram[i * channels];
        for (std::size_t j = i; j < channels; ++j) row[j] += value * double{f[j]};
      }
    }
  }
  const double count = weights.empty() ? static_cast<double>(pixels)
                                       : std::accumulate(weights.begin(), weights.end(), 0.0);
  for (std::size_t i = 0; i < channels; ++i) {
    sums.mean[i] /= count;
    for (std::size_t j = i; j < channels; ++j) {
      sums.gram[j * channels + i] = sums.gram[i * channels + j] /= count;
    }
  }
  return sums;
}

Moments mixed(std::span<const Moments> parts, std::span<const double> weights) {
  const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
  Moments sum{std::vector<double>(parts.front().mean.size(), 0),
              std::vector<double>(parts.front().gram.size(), 0)};
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const double share = weights[k] / all;
    for (std::size_t i = 0; i < sum.mean.size(); ++i) sum.mean[i] += share * parts[k].mean[i];
    for (std::size_t i = 0; i < sum.gram.size(); ++i) sum.gram[i] += share * parts[k].gram[i];
  }
  return sum;
}

double gram_distance(const Moments& picture, const Moments& style) {
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < style.gram.size(); ++i) {
    const double off = picture.gram[i] - style.gram[i];
    difference += off * off;
    norm += style.gram[i] * style.gram[i];
  }
  return std::sqrt(difference / norm);
}

double edge_ssim(const Image& a, const Image& b) {
  require(a.height == b.height && a.width == b.width, "edges of pictures of {}×{} and {}×{}",
          a.width, a.height, b.width, b.height);
  constexpr double c1 = 0.01 * 255 * 0.01 * 255;
  constexpr double c2 = 0.03 * 255 * 0.03 * 255;
  const Plane edges_a = edges_of(a);
  const Plane edges_b = edges_of(b);
  const Plane mean_a = local_mean(edges_a);
  const Plane mean_b = local_mean(edges_b);
  const Plane aa = local_mean_of_product(edges_a, edges_a);
  const Plane bb = local_mean_of_product(edges_b, edges_b);
  const Plane ab = local_mean_of_product(edges_a, edges_b);
  double sum = 0;
  for (std::size_t i = 0; i < ab.values.size(); ++i) {
    const double mu_a = mean_a.values[i];
    const double mu_b = mean_b.values[i];
    const double var_a = aa.values[i] - mu_a * mu_a;
    const double var_b = bb.values[i] - mu_b * mu_b;
    const double cov = ab.values[i] - mu_a * mu_b;
    sum += (2 * mu_a * mu_b + c1) * (2 * cov + c2) /
           ((mu_a * mu_a + mu_b * mu_b + c1) * (var_a + var_b + c2));
  }
  return sum / static_cast<double>(ab.values.size());
}

std::optional<double> minus_log_divergence(const Moments& picture, const Moments& style,
                                           std::size_t rank) {
  const std::size_t n = style.channels();
  require(rank <= n, "{} directions of {} channels", rank, n);
  const Eigen axes = eigen_of(covariance_of(style), n);
  if (!(axes.values[rank - 1] > 1e-12 * axes.values.front())) return std::nullopt;
  const Matrix covariance = projected(covariance_of(picture), axes.vectors, n, rank);
  const std::optional<double> log_det = log_determinant(covariance, rank);
  if (!log_det) return std::nullopt;
  double twice = -static_cast<double>(rank) - *log_det;
  for (std::size_t k = 0; k < rank; ++k) {
    double off = 0;
    for (std::size_t i = 0; i < n; ++i) {
      off += axes.vectors[i * n + k] * (picture.mean[i] - style.mean[i]);
    }
    twice += (covariance[k * rank + k] + off * off) / axes.values[k] + std::log(axes.values[k]);
  }
  // Rounding may leave a little less than 0 of two equal ones.
  return -std::log(std::max(twice / 2, 1e-12));
}

QualityLayers layers_of_quality(const Objective& objective, bool with_e,
                                const std::function<bool(std::string_view)>& exists) {
  QualityLayers layers;
  for (const std::string_view layer : {"conv4_1", "conv5_1"}) {
    if (exists(layer)) layers.content.emplace_back(layer);
  }
  // One near each place where presets compare styles.
  for (const std::string_view layer : {"conv1_2", "conv2_2", "conv3_2", "conv4_1"}) {
    if (exists(layer) && !compares_style_at(objective, layer)) layers.held_out.emplace_back(layer);
  }
  for (const std::string_view layer : {"conv1_1", "conv2_1", "conv3_1"}) {
    if (with_e && exists(layer)) layers.e.emplace_back(layer);
  }
  return layers;
}

Quality assess(Session& session, const QualityLayers& layers, const Image& image,
               const Image& content, std::span<const Style> styles) {
  const auto is_in = [](const std::vector<std::string>& list, std::string_view layer) {
    return std::ranges::find(list, layer) != list.end();
  };
  std::vector<std::string> of_style = layers.held_out;
  of_style.insert(of_style.end(), layers.e.begin(), layers.e.end());
  std::vector<std::string> all = of_style;
  all.insert(all.end(), layers.content.begin(), layers.content.end());

  const bool masked = std::ranges::any_of(
      styles, [](const Style& style) { return style.mask || style.style_mask; });
  std::map<std::string, std::vector<float>, std::less<>> features_of_image;
  MomentsByLayer of_image;
  visit_activations(session, image, all, [&](std::string_view layer, Activation features) {
    if (is_in(of_style, layer)) {
      std::vector<Moments>& seen = of_image[std::string(layer)];
      for (const Style& style : styles.first(masked ? styles.size() : 1)) {
        seen.push_back(moments_seen(features, style.mask));
      }
    }
    if (is_in(layers.content, layer)) {
      features_of_image[std::string(layer)] = std::move(features.values);
    }
  });
  Quality quality;
  visit_activations(session, content, layers.content,
                    [&](std::string_view layer, const Activation& features) {
                      quality.content_cosine.emplace_back(
                          layer, cosine(features_of_image.find(layer)->second, features.values));
                    });
  std::vector<double> weights;
  MomentsByLayer of_styles;
  for (const Style& style : styles) {
    weights.push_back(style.weight);
    visit_activations(
        session, style.image, of_style, [&](std::string_view layer, const Activation& features) {
          of_styles[std::string(layer)].push_back(moments_seen(features, style.style_mask));
        });
  }
  if (masked) {
    for (std::size_t k = 0; k < styles.size(); ++k) {
      const auto of = [k](MomentsByLayer& by_layer) {
        return [&by_layer, k](const std::string& layer) -> const Moments& {
          return by_layer[layer][k];
        };
      };
      quality.of_styles.push_back(compared(layers, of(of_image), of(of_styles)));
    }
    quality.style = mean_of(quality.of_styles, weights);
  } else {
    quality.style = compared(
        layers, [&](const std::string& layer) { return of_image[layer].front(); },
        [&](const std::string& layer) { return mixed(of_styles[layer], weights); });
  }
  quality.edge_ssim = edge_ssim(image, content);
  return quality;
}

}  // namespace impasto
