// SPDX-License-Identifier: MIT
#include "kernels/content_loss/content_loss.hpp"

namespace impasto::kernels::reference {

void content_loss(double* loss, double* grad, const double* features, const double* target,
                  const MapSize& size, const ContentLossScale& scale,
                  const GradientEpilogue& epilogue) {
  for (std::int64_t n = 0; n < size.batch; ++n) {
    double sum = 0;
    for (std::int64_t i = n * size.per_image(); i < (n + 1) * size.per_image(); ++i) {
      const double difference = features[i] - target[i];
      sum += difference * difference;
      if (grad == nullptr) continue;
      grad[i] = (epilogue.accumulate ? grad[i] : 0) + scale.gradient * difference;
      if (epilogue.relu_mask && !(features[i] > 0)) grad[i] = 0;
    }
    loss[n] = scale.loss * sum;
  }
}

}  // namespace impasto::kernels::reference
