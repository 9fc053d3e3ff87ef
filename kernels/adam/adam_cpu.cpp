// SPDX-License-Identifier: MIT
#include <cmath>

#include "kernels/adam/adam.hpp"
#include "kernels/clamp/clamp.hpp"
#include "kernels/common/parallel.hpp"

namespace impasto::kernels::cpu {

void adam(float* pixels, float* m, float* v, std::int64_t* step, const float* grad,
          std::int64_t count, const AdamOptions& options) {
  const auto t = static_cast<double>(++*step);
  const double m_correction = 1 - std::pow(options.beta1, t);
  const double v_correction = 1 - std::pow(options.beta2, t);

  // Both forms are x −= rate·m / (√(v_scale·v) + ε), with the corrections moved out of the loop.
  const bool pytorch = options.form == AdamEpsilon::pytorch;
  const double correction = pytorch ? 1 / m_correction : std::sqrt(v_correction) / m_correction;
  const auto rate =
      static_cast<float>(options.learning_rate * options.decay.after(t - 1) * correction);
  const auto v_scale = static_cast<float>(pytorch ? 1 / v_correction : 1);

  const auto beta1 = static_cast<float>(options.beta1);
  const auto beta2 = static_cast<float>(options.beta2);
  const auto keep1 = static_cast<float>(1 - options.beta1);
  const auto keep2 = static_cast<float>(1 - options.beta2);
  const auto epsilon = static_cast<float>(options.epsilon);
  const auto unscale = static_cast<float>(1 / options.gradient_scale);
  const auto lowest = static_cast<float>(options.lowest);
  const auto highest = static_cast<float>(options.highest);
#pragma omp parallel for simd schedule(static) if (parallel : count >= min_parallel)
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = unscale * grad[i];
    m[i] = beta1 * m[i] + keep1 * g;
    v[i] = beta2 * v[i] + keep2 * g * g;
    const float moved = pixels[i] - rate * m[i] / (std::sqrt(v_scale * v[i]) + epsilon);
    pixels[i] = clamped(moved, lowest, highest);
  }
}

}  // namespace impasto::kernels::cpu
