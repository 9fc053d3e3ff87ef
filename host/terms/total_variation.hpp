// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "host/terms/term.hpp"

namespace impasto {

/// Total variation of the pixels: how much neighbours differ, so how rough the picture is.
/// weight · scale · TV(pixels), scale at (3, H·W): a sum of squares
/// (kernels/total_variation/total_variation.hpp), or another form (kernels/variation/variation.hpp).
struct TotalVariationLoss : Loss {
  static constexpr bool of_pixels = true;
  Normaliser scale;
  kernels::VariationForm form = kernels::VariationForm::squares;
  double beta = 2;  ///< of the form `power`

  [[nodiscard]] std::vector<NamedNormaliser> normalisers() const { return {{"tv_scale", scale}}; }
  [[nodiscard]] std::unique_ptr<Term> make_term(const TermPlace& place) const;
};

}  // namespace impasto
