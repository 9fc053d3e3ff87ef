// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "kernels/common/device.hpp"

namespace impasto::kernels {

/// How a learning rate falls: after t steps it is factor^(t/steps) times what it was at first, step
/// by step and not in stairs.
struct RateDecay {
  double factor = 1;
  double steps = 100;

  [[nodiscard]] IMPASTO_HOST_DEVICE double after(double t) const {
    return factor == 1 ? 1 : std::pow(factor, t / steps);
  }
};

}  // namespace impasto::kernels
