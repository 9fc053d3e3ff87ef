// SPDX-License-Identifier: MIT
#include "kernels/common/parallel.hpp"
#include "kernels/temporal_loss/temporal_loss.hpp"

namespace impasto::kernels::cpu {

void temporal_loss(float* loss, float* grad_pixels, const float* pixels, const float* target,
                   const float* mask, const MapSize& size, const TemporalLossScale& scale) {
  const std::int64_t C = size.channels;
  const auto gradient_scale = static_cast<float>(scale.gradient);
  for (std::int64_t n = 0; n < size.batch; ++n) {
    const auto chunk_sum = [&](std::int64_t begin, std::int64_t end) {
      double sum = 0;
      for (std::int64_t p = n * size.pixels() + begin; p < n * size.pixels() + end; ++p) {
        for (std::int64_t i = p * C; i < (p + 1) * C; ++i) {
          const float difference = pixels[i] - target[i];
          sum += static_cast<double>(mask[p] * difference * difference);
          if (grad_pixels != nullptr) grad_pixels[i] += gradient_scale * mask[p] * difference;
        }
      }
      return sum;
    };
    loss[n] = static_cast<float>(scale.loss * ordered_sum(size.pixels(), chunk_sum));
  }
}

}  // namespace impasto::kernels::cpu
