// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "kernels/adam/adam.hpp"
#include "kernels/clamp/clamp.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Counts the step, and writes the two numbers that every pixel needs of it: both forms of Adam are
/// x −= rate·m / (√(v_scale·v) + ε). One thread in its own kernel: so no block counts before
/// another one has read, and the powers, in double, are computed once instead of in every block.
static __global__ void step_kernel(float* rate_and_v_scale, std::int64_t* step,
                                   double learning_rate, RateDecay decay, double beta1,
                                   double beta2, bool pytorch) {
  const auto t = static_cast<double>(++*step);
  const double m_correction = 1 - std::pow(beta1, t);
  const double v_correction = 1 - std::pow(beta2, t);
  const double correction = pytorch ? 1 / m_correction : std::sqrt(v_correction) / m_correction;
  rate_and_v_scale[0] = static_cast<float>(learning_rate * decay.after(t - 1) * correction);
  rate_and_v_scale[1] = static_cast<float>(pytorch ? 1 / v_correction : 1);
}

struct AdamConstants {
  float beta1, beta2, keep1, keep2, epsilon, lowest, highest, unscale;
};

__device__ __forceinline__ void adam_update(float& pixel, float& m, float& v, float grad,
                                            float rate, float v_scale,
                                            const AdamConstants& constants) {
  const float g = constants.unscale * grad;
  m = constants.beta1 * m + constants.keep1 * g;
  v = constants.beta2 * v + constants.keep2 * g * g;
  const float moved = pixel - rate * m / (std::sqrt(v_scale * v) + constants.epsilon);
  pixel = clamped(moved, constants.lowest, constants.highest);
}

/// Enqueues step_kernel, and returns what an update needs besides.
inline AdamConstants count_adam_step(std::int64_t* step, const AdamOptions& options,
                                     float* workspace, simt::StreamHandle stream) {
  simt::launch(step_kernel, {"adam_step", {1}, {1}}, stream, workspace, step, options.learning_rate,
               options.decay, options.beta1, options.beta2, options.form == AdamEpsilon::pytorch);
  return {static_cast<float>(options.beta1),     static_cast<float>(options.beta2),
          static_cast<float>(1 - options.beta1), static_cast<float>(1 - options.beta2),
          static_cast<float>(options.epsilon),   static_cast<float>(options.lowest),
          static_cast<float>(options.highest),   static_cast<float>(1 / options.gradient_scale)};
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
