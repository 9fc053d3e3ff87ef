// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "kernels/common/ladder.hpp"
#include "kernels/pixel_update/pixel_update.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

struct PixelUpdateRung : Rung {
  void (*launch)(float* updated, float* m, float* v, std::int64_t* step, float* loss,
                 const float* pixels, float* grad, const MapSize& size,
                 const VariationScale& variation, const AdamOptions& options, double* workspace,
                 Stream stream);
};

/// All of them need pixel_update_workspace(size).
std::span<const PixelUpdateRung> pixel_update_ladder();

}  // namespace impasto::kernels::IMPASTO_DEVICE
