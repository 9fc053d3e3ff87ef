// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include "kernels/adam/adam.hpp"

namespace impasto::kernels::reference {

void adam(double* pixels, double* m, double* v, std::int64_t* step, const double* grad,
          std::int64_t count, const AdamOptions& options) {
  const auto t = static_cast<double>(++*step);
  const double m_correction = 1 - std::pow(options.beta1, t);
  const double v_correction = 1 - std::pow(options.beta2, t);
  const double learning_rate =
      options.learning_rate * std::pow(options.decay.factor, (t - 1) / options.decay.steps);
  for (std::int64_t i = 0; i < count; ++i) {
    const double g = grad[i] / options.gradient_scale;
    m[i] = options.beta1 * m[i] + (1 - options.beta1) * g;
    v[i] = options.beta2 * v[i] + (1 - options.beta2) * g * g;
    if (options.form == AdamEpsilon::pytorch) {
      pixels[i] -= learning_rate * (m[i] / m_correction) /
                   (std::sqrt(v[i] / v_correction) + options.epsilon);
    } else {
      pixels[i] -= learning_rate * std::sqrt(v_correction) / m_correction * m[i] /
                   (std::sqrt(v[i]) + options.epsilon);
    }
    pixels[i] = std::min(std::max(pixels[i], options.lowest), options.highest);
  }
}

}  // namespace impasto::kernels::reference
