// SPDX-License-Identifier: MIT
#include "kernels/common/parallel.hpp"
#include "kernels/style_loss/style_loss.hpp"

namespace impasto::kernels::cpu {
namespace {

/// Computes in double: near the end of an optimisation scale·G and the target agree in their
/// leading digits, and their difference in float would be noise. C² is small, so it costs nothing.
double chunk_sum(float* matrix, const float* gram, const float* target, std::int64_t begin,
                 std::int64_t end, const StyleLossScale& scale) {
  const double gram_scale = scale.gram;
  const double gradient_scale = scale.gradient;
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = begin; i < end; ++i) {
    const double difference =
        gram_scale * static_cast<double>(gram[i]) - static_cast<double>(target[i]);
    sum += difference * difference;
    matrix[i] = static_cast<float>(gradient_scale * difference);
  }
  return sum;
}

}  // namespace

void style_loss(float* loss, float* matrix, const float* gram, const float* target,
                std::int64_t batch, std::int64_t channels, const StyleLossScale& scale) {
  const std::int64_t count = channels * channels;
  for (std::int64_t n = 0; n < batch; ++n) {
    const double sum = ordered_sum(count, [&](std::int64_t begin, std::int64_t end) {
      return chunk_sum(matrix + n * count, gram + n * count, target, begin, end, scale);
    });
    loss[n] = static_cast<float>(scale.loss * sum);
  }
}

}  // namespace impasto::kernels::cpu
