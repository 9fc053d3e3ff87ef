// SPDX-License-Identifier: MIT
// The style gradient at some neighbouring pixels: a product with a matrix that stays in the first
// cache, the sums in registers, so that grad and the features are read once and nothing else is.
#include "kernels/common/simd_vector.hpp"
#include "kernels/style_first_conv/style_first_conv.hpp"

namespace impasto::kernels::cpu::IMPASTO_SIMD {
namespace {

constexpr std::int64_t panel_vectors = lanes == 16 ? 4 : 2;  // 24 sums in 32 registers, or 12 in 16
constexpr std::int64_t panel = panel_vectors * lanes;
constexpr std::int64_t block = 6;  // pixels

/// `pixels` pixels from `first` on, in the channels from `channel` on.
template <std::int64_t pixels>
[[gnu::always_inline]] inline void compute(const StyleGradient& problem, std::int64_t first,
                                           std::int64_t channel) {
  const std::int64_t channels = problem.channels;
  const float* features = problem.features + first * channels;
  Vector sums[static_cast<std::size_t>(pixels)][panel_vectors] = {};
#pragma GCC unroll 4
  for (std::int64_t k = 0; k < channels; ++k) {
    Vector right[panel_vectors];
#pragma GCC unroll 8
    for (std::int64_t n = 0; n < panel_vectors; ++n) {
      right[n] = load(problem.matrix + k * channels + channel + n * lanes);
    }
#pragma GCC unroll 8
    for (std::int64_t p = 0; p < pixels; ++p) {
      const float left = features[p * channels + k];
#pragma GCC unroll 8
      for (std::int64_t n = 0; n < panel_vectors; ++n) sums[p][n] += left * right[n];
    }
  }
#pragma GCC unroll 8
  for (std::int64_t p = 0; p < pixels; ++p) {
#pragma GCC unroll 8
    for (std::int64_t n = 0; n < panel_vectors; ++n) {
      const std::int64_t at = p * channels + channel + n * lanes;
      Vector sum = sums[p][n];
      if (problem.epilogue.accumulate) sum += load(problem.grad + first * channels + at);
      if (problem.epilogue.relu_mask) sum = load(features + at) > 0 ? sum : Vector{};
      store(problem.sum + first * channels + at, sum);
    }
  }
}

}  // namespace

void style_gradient(const StyleGradient& problem) {
  for (std::int64_t channel = 0; channel < problem.channels; channel += panel) {
    std::int64_t p = 0;
    for (; p + block <= problem.pixels; p += block) compute<block>(problem, p, channel);
    for (; p < problem.pixels; ++p) compute<1>(problem, p, channel);
  }
}

}  // namespace impasto::kernels::cpu::IMPASTO_SIMD
