// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "kernels/adam/adam.hpp"
#include "kernels/common/ladder.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// The rungs differ in the pass over the pixels; the step is counted before it.
struct AdamRung : Rung {
  void (*launch)(float* pixels, float* m, float* v, std::int64_t* step, const float* grad,
                 std::int64_t count, const AdamOptions& options, float* workspace, Stream stream);
};

std::span<const AdamRung> adam_ladder();

}  // namespace impasto::kernels::IMPASTO_DEVICE
