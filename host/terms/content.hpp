// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "host/terms/term.hpp"

namespace impasto {

/// Content loss: how far feature maps F are from the content picture's P.
/// weight · Σ_l w_l · scale · Σ (F_l − P_l)²   (Gatys et al. 2016, equation 1)
struct ContentLoss : Loss {
  static constexpr bool of_pixels = false;
  Normaliser scale;

  [[nodiscard]] std::vector<NamedNormaliser> normalisers() const {
    return {{"content_scale", scale}};
  }
  [[nodiscard]] std::unique_ptr<Term> make_term(const TermPlace& place) const;
};

}  // namespace impasto
