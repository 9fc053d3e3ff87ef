// SPDX-License-Identifier: MIT
#include "kernels/style_loss/style_loss.hpp"

namespace impasto::kernels::reference {

void style_loss(double* loss, double* matrix, const double* gram, const double* target,
                std::int64_t batch, std::int64_t channels, const StyleLossScale& scale) {
  const std::int64_t count = channels * channels;
  for (std::int64_t n = 0; n < batch; ++n) {
    double sum = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const double difference = scale.gram * gram[n * count + i] - target[i];
      sum += difference * difference;
      matrix[n * count + i] = scale.gradient * difference;
    }
    loss[n] = scale.loss * sum;
  }
}

}  // namespace impasto::kernels::reference
