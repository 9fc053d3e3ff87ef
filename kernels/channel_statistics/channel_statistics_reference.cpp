// SPDX-License-Identifier: MIT
#include <cmath>

#include "kernels/channel_statistics/channel_statistics.hpp"

namespace impasto::kernels::reference {

void channel_statistics(double* statistics, const double* features, const double* weights,
                        const MapSize& size) {
  const std::int64_t C = size.channels;
  const auto P = static_cast<double>(size.pixels());
  for (std::int64_t n = 0; n < size.batch; ++n) {
    for (std::int64_t c = 0; c < C; ++c) {
      double sum = 0;
      double squares = 0;
      for (std::int64_t p = 0; p < size.pixels(); ++p) {
        const double value = features[n * size.per_image() + p * C + c];
        const double weighted = (weights == nullptr ? 1 : weights[p]) * value;
        sum += weighted;
        squares += weighted * value;
      }
      const double mean = sum / P;
      const double variance = squares / P - mean * mean;
      const bool rounding = variance <= least_relative_variance * squares / P;
      statistics[2 * n * C + c] = mean;
      statistics[(2 * n + 1) * C + c] = rounding ? 0 : std::sqrt(variance);
    }
  }
}

void statistics_loss(double* loss, double* coefficients, const double* statistics,
                     const double* target, std::int64_t batch, std::int64_t channels,
                     const StatisticsLossScale& scale) {
  for (std::int64_t n = 0; n < batch; ++n) {
    double sum = 0;
    for (std::int64_t c = 0; c < channels; ++c) {
      const std::int64_t mean_at = 2 * n * channels + c;
      const std::int64_t deviation_at = mean_at + channels;
      const double mean = statistics[mean_at];
      const double deviation = statistics[deviation_at];
      const double by_mean = mean - target[c];
      const double by_deviation = deviation - target[channels + c];
      sum += by_mean * by_mean + by_deviation * by_deviation;
      const double b = deviation == 0 ? 0 : scale.gradient * by_deviation / deviation;
      coefficients[mean_at] = scale.gradient * by_mean - b * mean;
      coefficients[deviation_at] = b;
    }
    loss[n] = scale.loss * sum;
  }
}

void statistics_backward(double* grad, const double* features, const double* coefficients,
                         const MapSize& size, const GradientEpilogue& epilogue) {
  const std::int64_t C = size.channels;
  for (std::int64_t i = 0; i < size.count(); ++i) {
    const double* own = coefficients + i / size.per_image() * 2 * C + i % C;
    grad[i] = (epilogue.accumulate ? grad[i] : 0) + own[0] + own[C] * features[i];
    if (epilogue.relu_mask && !(features[i] > 0)) grad[i] = 0;
  }
}

}  // namespace impasto::kernels::reference
