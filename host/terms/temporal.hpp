// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "host/terms/term.hpp"

namespace impasto {

/// Temporal loss of a film's frame: how far its pixels x are from the earlier result t, moved along with
/// what the film shows, where the mask m says so. Both are set by Term::set_anchor().
/// weight · scale · Σ m·(x − t)², scale at (3, H·W)   (Ruder, Dosovitskiy, Brox 2016, §4.2)
struct TemporalLoss : Loss {
  static constexpr bool of_pixels = true;
  Normaliser scale;

  [[nodiscard]] std::vector<NamedNormaliser> normalisers() const {
    return {{"temporal_scale", scale}};
  }
  [[nodiscard]] std::unique_ptr<Term> make_term(const TermPlace& place) const;
};

}  // namespace impasto
