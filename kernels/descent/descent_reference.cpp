// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include "kernels/descent/descent.hpp"

namespace impasto::kernels::reference {

void descent(double* pixels, std::int64_t* step, const double* grad, std::int64_t count,
             const DescentOptions& options) {
  const auto t = static_cast<double>((*step)++);
  const double rate =
      options.learning_rate * std::pow(options.decay.factor, t / options.decay.steps);
  for (std::int64_t i = 0; i < count; ++i) {
    pixels[i] -= rate * grad[i] / options.gradient_scale;
    pixels[i] = std::min(std::max(pixels[i], options.lowest), options.highest);
  }
}

}  // namespace impasto::kernels::reference
