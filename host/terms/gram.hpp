// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "host/terms/term.hpp"

namespace impasto {

/// Style loss on Gram matrices G = FᵀF: how far they are from the mean A of the style pictures'.
/// weight · Σ_l w_l · style_scale · Σ (gram_scale·G_l − A_l)²,  A_l = Σ_s share_s·gram_scale·G_l(s)
/// with gram_scale at the size of the map whose matrix it is.   (Gatys et al. 2016, equations 3–5)
/// Where the losses of several styles are added, it is the same with a constant more (Term::loss_spread):
/// Σ_s share_s · style_scale · Σ (gram_scale·G_l − A_l(s))²
///
/// Where styles have masks, each has a target A_s of its own, and the losses of all are added:
/// Σ_s style_scale · Σ (gram_scale·G_s − A_s)²,  G_s = F_sᵀF_s,  F_s = T_s ⊙ F
/// with a guide T_s, which weighs pixels (Gatys et al. 2017, §4; host/engine/guides.hpp).
struct GramLoss : Loss {
  static constexpr bool of_pixels = false;
  Normaliser gram_scale;
  Normaliser style_scale;

  [[nodiscard]] std::vector<NamedNormaliser> normalisers() const {
    return {{"gram_scale", gram_scale}, {"style_scale", style_scale}};
  }
  [[nodiscard]] std::unique_ptr<Term> make_term(const TermPlace& place) const;
};

}  // namespace impasto
