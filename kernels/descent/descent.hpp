// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>

#include "kernels/common/device.hpp"
#include "kernels/common/learning_rate.hpp"

namespace impasto::kernels {

/// One step of gradient descent on the pixels, with an optional box constraint.
/// Math    t = (*step)++;  x −= learning_rate · factor^(t/steps) · grad / gradient_scale
///         x = min(max(x, lowest), highest)
/// Shapes  pixels, grad (count); step (1), the number of steps done so far
/// Source  Keras' SGD with ExponentialDecay, staircase=False
/// Cost    2 values read and 1 written per pixel value
struct DescentOptions {
  double learning_rate = 100;
  RateDecay decay = {};
  double lowest = -std::numeric_limits<double>::infinity();
  double highest = std::numeric_limits<double>::infinity();
  double gradient_scale = 1;  ///< the gradient given is this many times the true one
};

namespace reference {
void descent(double* pixels, std::int64_t* step, const double* grad, std::int64_t count,
             const DescentOptions& options);
}

namespace cpu {
void descent(float* pixels, std::int64_t* step, const float* grad, std::int64_t count,
             const DescentOptions& options);
}

namespace IMPASTO_DEVICE {
/// Floats of workspace: the step's rate.
inline constexpr std::int64_t descent_workspace = 1;

/// Enqueues it; `step` is counted up on the device.
void descent(float* pixels, std::int64_t* step, const float* grad, std::int64_t count,
             const DescentOptions& options, float* workspace, Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
