// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "host/backend/backend.hpp"

namespace impasto::cuda {

/// One style_backward as libraries are asked for it.
struct StyleBackwardProblem {
  Precision precision = Precision::bf16;
  kernels::MapSize size;
  GradientEpilogue epilogue;

  /// "bf16 style backward 1×64×64×512, add, mask"
  [[nodiscard]] std::string describe() const;
};

}  // namespace impasto::cuda
