// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "host/terms/term.hpp"

namespace impasto {

/// Style loss on channels: how far their means μ and standard deviations σ are from the mean of the
/// style pictures'.
/// weight · Σ_l w_l · scale · Σ_c ((μ_c − μ'_c)² + (σ_c − σ'_c)²)
/// (kernels/channel_statistics/channel_statistics.hpp)
struct StatisticsLoss : Loss {
  static constexpr bool of_pixels = false;
  Normaliser scale;

  [[nodiscard]] std::vector<NamedNormaliser> normalisers() const {
    return {{"statistics_scale", scale}};
  }
  [[nodiscard]] std::unique_ptr<Term> make_term(const TermPlace& place) const;
};

}  // namespace impasto
