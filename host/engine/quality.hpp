// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/engine/stylizer.hpp"

namespace impasto {

// How good a stylization is, by measures that no run minimises: docs/math/quality.md has the formulas
// and where they are from. All sums are in double.

/// Values by layer, in the network's order.
using ByLayer = std::vector<std::pair<std::string, double>>;

/// The cosine of the angle between two lists of equal length; 0 where one of them is all zeros.
double cosine(std::span<const float> a, std::span<const float> b);

/// What is known of the columns of a feature map F (P,C) with weights w of its pixels: the mean
/// μ = Σ_p w_p F_p / Σ_p w_p and the second moment G = Σ_p w_p F_pᵀF_p / Σ_p w_p, the Gram matrix.
struct Moments {
  std::vector<double> mean;  ///< (C)
  std::vector<double> gram;  ///< (C,C)
  [[nodiscard]] std::size_t channels() const { return mean.size(); }
};
/// Without weights, all are 1.
Moments moments_of(const Activation& features, std::span<const float> weights = {});
/// The moments of several maps together, each of which counts as its weight says.
Moments mixed(std::span<const Moments> parts, std::span<const double> weights);

/// ‖G − A‖ / ‖A‖ in the norm of Frobenius, for Gram matrices G of a picture and A of its style.
double gram_distance(const Moments& picture, const Moments& style);

/// The mean SSIM of the edges of two pictures of one size: 1 where they are the same.
double edge_ssim(const Image& a, const Image& b);

/// −log of the Kullback–Leibler divergence of the normal distribution with the picture's moments from
/// the one with the style's, both projected on the `rank` directions in which the style varies most.
/// Nothing where one of them does not vary in so many directions.
std::optional<double> minus_log_divergence(const Moments& picture, const Moments& style,
                                           std::size_t rank);

/// The E statistic: minus_log_divergence() at conv1_1, conv2_1 and conv3_1, and their sum with the
/// weights that fit the judgments of people. They were fitted for one network alone.
struct EStatistic {
  double e1 = 0;
  double e2 = 0;
  double e3 = 0;
  [[nodiscard]] double e() const { return 0.7468 * e1 + 0.2557 * e2 + 2.3768 * e3; }
};

struct StyleQuality {
  ByLayer held_out_gram;  ///< gram_distance() of the picture and the style
  std::optional<EStatistic> e;
};

struct Quality {
  ByLayer content_cosine;  ///< of the picture and the content
  double edge_ssim = 0;    ///< of the picture and the content
  /// Of the picture and the mean of all styles; with masks, the mean of `of_styles` by their weights.
  StyleQuality style;
  /// With masks: each style beside the picture, both where its masks show them.
  std::vector<StyleQuality> of_styles;
};

/// Where a picture is looked at, in the network's order.
struct QualityLayers {
  std::vector<std::string> content;   ///< conv4_1 and conv5_1
  std::vector<std::string> held_out;  ///< those of four where the objective compares no styles
  std::vector<std::string> e;         ///< conv1_1, conv2_1 and conv3_1, or none
};

/// Those of the layers that `exists` admits.
QualityLayers layers_of_quality(const Objective& objective, bool with_e,
                                const std::function<bool(std::string_view layer)>& exists);

/// Looks at a picture beside its content, of the same size, and its styles. The session's network
/// must have the layers, and the pictures must be large enough for them.
Quality assess(Session& session, const QualityLayers& layers, const Image& image,
               const Image& content, std::span<const Style> styles);

}  // namespace impasto
