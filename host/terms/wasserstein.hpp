// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "host/terms/term.hpp"

namespace impasto {

/// Style loss on distributions: the Wasserstein-2 distance between the features of the pixels and those
/// of the style pictures, each taken for a normal distribution with the same mean and covariance.
/// weight · Σ_l w_l · scale · (|μ − μ'|² + tr (Σ + Σ' − 2·√(√Σ'·Σ·√Σ')))
/// (kernels/wasserstein_loss/wasserstein_loss.hpp). Several styles are one distribution, whose means
/// and second moments are the mean of theirs.
struct WassersteinLoss : Loss {
  static constexpr bool of_pixels = false;
  Normaliser scale;

  [[nodiscard]] std::vector<NamedNormaliser> normalisers() const {
    return {{"wasserstein_scale", scale}};
  }
  [[nodiscard]] std::unique_ptr<Term> make_term(const TermPlace& place) const;
};

}  // namespace impasto
