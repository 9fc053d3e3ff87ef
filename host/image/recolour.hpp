// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "host/image/image.hpp"

namespace impasto {

/// Mean and covariance of RGB values; those of several pictures mix as probabilities do.
struct ColourStatistics {
  std::array<double, 3> mean{};
  std::array<std::array<double, 3>, 3> covariance{};
};

/// Of the picture's pixels, each of which counts as much as its weight says; without weights all the
/// same.
ColourStatistics colour_statistics(const Image& picture, std::span<const float> weights = {});

/// The statistics of a pixel that is drawn from `parts` with these shares, which add up to 1.
ColourStatistics mixture(std::span<const ColourStatistics> parts, std::span<const double> shares);

/// The picture in other colours: x ↦ μ' + T·(x − μ), clamped to [0,255], with
/// T = Σ^−½ (Σ^½ Σ' Σ^½)^½ Σ^−½, the linear map of least movement that takes mean μ and covariance Σ
/// to μ' and Σ' (Pitié & Kokaram, "The linear Monge–Kantorovitch linear colour mapping", 2007). A
/// picture of hardly any contrast keeps it: Σ counts as at least one grey level.
Image recoloured(const Image& picture, const ColourStatistics& colours);

/// `picture` with the histogram of `colours` in each channel. Equal values stay equal.
Image with_histogram_of(const Image& colours, const Image& picture);

/// `picture` in the colours of `colours`, which has its size: the luminance of the one and the
/// chrominance of the other, in Y'UV of BT.601. It may leave [0,255].
Image with_chrominance_of(const Image& colours, const Image& picture);

/// Whose colours the result of a stylization has.
enum class Colours : std::uint8_t {
  style,      ///< those of the style pictures
  luminance,  ///< the content's chrominance, which the result gets
  histogram,  ///< the content's histograms, which the style pictures get before the run
  linear,     ///< the content's mean colour and covariance, which the style pictures get
};

/// A style picture as it is shown to the network, and a result as it is shown to people.
Image style_in(Colours colours, const Image& content, Image style);
Image result_in(Colours colours, const Image& content, Image result);

}  // namespace impasto
