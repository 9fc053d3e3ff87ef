// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "kernels/adam/adam.hpp"
#include "kernels/clamp/clamp.hpp"
#include "kernels/common/blocks_done.cuh"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// What a step needs of the options, whatever its number.
struct AdamConstants {
  double beta1, beta2, learning_rate;
  RateDecay decay;
  float keep1, keep2, epsilon, lowest, highest, unscale;
  bool pytorch;

  explicit AdamConstants(const AdamOptions& options)
      : beta1(options.beta1),
        beta2(options.beta2),
        learning_rate(options.learning_rate),
        decay(options.decay),
        keep1(static_cast<float>(1 - options.beta1)),
        keep2(static_cast<float>(1 - options.beta2)),
        epsilon(static_cast<float>(options.epsilon)),
        lowest(static_cast<float>(options.lowest)),
        highest(static_cast<float>(options.highest)),
        unscale(static_cast<float>(1 / options.gradient_scale)),
        pytorch(options.form == AdamEpsilon::pytorch) {}
};

/// What it needs of its number: both forms of Adam are x −= rate·m / (√(v_scale·v) + ε).
struct AdamFactors {
  float rate, v_scale;
};

/// xⁿ by squaring, n > 0: two multiplications for each binary digit of n, where pow() takes a
/// hundred. Exact to a few units of the last place.
__device__ __forceinline__ double power(double x, std::int64_t n) {
  double result = 1;
  for (; n > 0; n /= 2, x *= x) {
    if (n % 2 != 0) result *= x;
  }
  return result;
}

/// In all threads of a block, from the number of steps before this one.
__device__ __forceinline__ AdamFactors adam_factors(const std::int64_t* step,
                                                    const AdamConstants& constants) {
  SIMT_SHARED(AdamFactors, factors, [1]);
  if (threadIdx.x == 0) {
    const std::int64_t before = *step;
    const double m_correction = 1 - power(constants.beta1, before + 1);
    const double v_correction = 1 - power(constants.beta2, before + 1);
    const double correction =
        constants.pytorch ? 1 / m_correction : std::sqrt(v_correction) / m_correction;
    const double decayed = constants.decay.after(static_cast<double>(before));
    factors[0] = {static_cast<float>(constants.learning_rate * decayed * correction),
                  static_cast<float>(constants.pytorch ? 1 / v_correction : 1)};
  }
  __syncthreads();
  return factors[0];
}

/// Counts the step, where all blocks have read its number.
__device__ __forceinline__ void count_step(std::int64_t* step, unsigned* blocks_done) {
  if (is_last_block(blocks_done) && threadIdx.x == 0) ++*step;
}

__device__ __forceinline__ void adam_update(float& pixel, float& m, float& v, float grad,
                                            const AdamFactors& factors,
                                            const AdamConstants& constants) {
  const float g = constants.unscale * grad;
  m = static_cast<float>(constants.beta1) * m + constants.keep1 * g;
  v = static_cast<float>(constants.beta2) * v + constants.keep2 * g * g;
  const float moved =
      pixel - factors.rate * m / (std::sqrt(factors.v_scale * v) + constants.epsilon);
  pixel = clamped(moved, constants.lowest, constants.highest);
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
