// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "kernels/common/ladder.hpp"
#include "kernels/total_variation/total_variation.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

struct VariationRung : Rung {
  void (*launch)(float* loss, float* grad_pixels, const float* pixels, const MapSize& size,
                 const VariationScale& scale, double* workspace, Stream stream);
};

/// All of them write total_variation_workspace(size) sums of blocks.
std::span<const VariationRung> total_variation_ladder();

}  // namespace impasto::kernels::IMPASTO_DEVICE
