// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <span>

#include "host/image/image.hpp"

namespace impasto {

/// Mean and covariance of RGB values; those of several pictures mix as probabilities do.
struct ColourStatistics {
  std::array<double, 3> mean{};
  std::array<std::array<double, 3>, 3> covariance{};
};

ColourStatistics colour_statistics(const Image& picture);

/// The statistics of a pixel that is drawn from `parts` with these shares, which add up to 1.
ColourStatistics mixture(std::span<const ColourStatistics> parts, std::span<const double> shares);

/// The picture in other colours: x ↦ μ' + T·(x − μ), clamped to [0,255], with
/// T = Σ^−½ (Σ^½ Σ' Σ^½)^½ Σ^−½, the linear map of least movement that takes mean μ and covariance Σ
/// to μ' and Σ' (Pitié & Kokaram, "The linear Monge–Kantorovitch linear colour mapping", 2007). A
/// picture of hardly any contrast keeps it: Σ counts as at least one grey level.
Image recoloured(const Image& picture, const ColourStatistics& colours);

}  // namespace impasto
