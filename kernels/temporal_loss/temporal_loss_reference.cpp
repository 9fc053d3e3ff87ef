// SPDX-License-Identifier: MIT
#include "kernels/temporal_loss/temporal_loss.hpp"

namespace impasto::kernels::reference {

void temporal_loss(double* loss, double* grad_pixels, const double* pixels, const double* target,
                   const double* mask, const MapSize& size, const TemporalLossScale& scale) {
  for (std::int64_t n = 0; n < size.batch; ++n) {
    double sum = 0;
    for (std::int64_t i = n * size.per_image(); i < (n + 1) * size.per_image(); ++i) {
      const double difference = pixels[i] - target[i];
      const double weight = mask[i / size.channels];
      sum += weight * difference * difference;
      if (grad_pixels != nullptr) grad_pixels[i] += scale.gradient * weight * difference;
    }
    loss[n] = scale.loss * sum;
  }
}

}  // namespace impasto::kernels::reference
