// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>

#include "kernels/common/device.hpp"
#include "kernels/common/ladder.hpp"
#include "kernels/common/learning_rate.hpp"

namespace impasto::kernels {

/// One Adam step on the pixels, with an optional box constraint.
/// Math    t = ++*step;  g = grad / gradient_scale;  lr = learning_rate · factor^((t−1)/steps)
///         m = β₁·m + (1−β₁)·g;  v = β₂·v + (1−β₂)·g²
///         pytorch:     x −= lr · (m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + ε)
///         tensorflow:  x −= lr·√(1−β₂ᵗ)/(1−β₁ᵗ) · m / (√v + ε)
///         x = min(max(x, lowest), highest)
/// Shapes  pixels, m, v, grad (count); step (1), the number of steps done so far
/// Source  Kingma & Ba 2015, algorithm 1; TensorFlow's form is the one at the end of its section 2
/// Cost    4 values read and 3 written per pixel value
enum class AdamEpsilon : std::uint8_t {
  pytorch,     ///< added to the corrected √v̂
  tensorflow,  ///< added to the uncorrected √v
};

struct AdamOptions {
  double learning_rate = 2.0;
  RateDecay decay = {};
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  AdamEpsilon form = AdamEpsilon::pytorch;
  double lowest = -std::numeric_limits<double>::infinity();
  double highest = std::numeric_limits<double>::infinity();
  /// The given gradient is the true one times this power of two. The step divides by it first, so
  /// that it matters only to a gradient that is stored in float16.
  double gradient_scale = 1;
};

namespace reference {
void adam(double* pixels, double* m, double* v, std::int64_t* step, const double* grad,
          std::int64_t count, const AdamOptions& options);
}

namespace cpu {
void adam(float* pixels, float* m, float* v, std::int64_t* step, const float* grad,
          std::int64_t count, const AdamOptions& options);
}

namespace IMPASTO_DEVICE {
/// Enqueues the step; `step` is counted up on the device. `blocks_done` is a number that is 0, and 0
/// again afterwards.
void adam(float* pixels, float* m, float* v, std::int64_t* step, const float* grad,
          std::int64_t count, const AdamOptions& options, unsigned* blocks_done, Stream stream);

/// The rungs differ in the pass over the pixels; each counts the step in the same way.
template <class T>
using AdamLauncher = void (*)(T* pixels, T* m, T* v, std::int64_t* step, const T* grad,
                              std::int64_t count, const AdamOptions& options, unsigned* blocks_done,
                              Stream stream);
using AdamRung = RungWith<AdamLauncher>;
std::span<const AdamRung> adam_ladder();
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
