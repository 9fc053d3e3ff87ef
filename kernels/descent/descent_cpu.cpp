// SPDX-License-Identifier: MIT
#include "kernels/clamp/clamp.hpp"
#include "kernels/common/parallel.hpp"
#include "kernels/descent/descent.hpp"

namespace impasto::kernels::cpu {

void descent(float* pixels, std::int64_t* step, const float* grad, std::int64_t count,
             const DescentOptions& options) {
  const auto t = static_cast<double>((*step)++);
  const auto rate =
      static_cast<float>(options.learning_rate * options.decay.after(t) / options.gradient_scale);
  const auto lowest = static_cast<float>(options.lowest);
  const auto highest = static_cast<float>(options.highest);
#pragma omp parallel for simd schedule(static) if (parallel : count >= min_parallel)
  for (std::int64_t i = 0; i < count; ++i) {
    pixels[i] = clamped(pixels[i] - rate * grad[i], lowest, highest);
  }
}

}  // namespace impasto::kernels::cpu
