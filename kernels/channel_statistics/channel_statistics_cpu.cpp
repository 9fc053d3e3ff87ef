// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>

#include "kernels/channel_statistics/channel_statistics.hpp"
#include "kernels/common/epilogue.hpp"
#include "kernels/common/parallel.hpp"

namespace impasto::kernels::cpu {
namespace {

/// As many channels as a thread sums side by side: they fill the lines of the cache that it reads.
constexpr std::int64_t group = 32;
constexpr std::int64_t most_chunks = 64;

struct Sums {
  std::array<double, group> values{};
  std::array<double, group> squares{};
};

/// Adds `count` channels of the pixels [begin, end).
template <class T>
void add_pixels(Sums& sums, const T* first_pixel, const float* weights, std::int64_t begin,
                std::int64_t end, std::int64_t channels, std::int64_t count) {
  for (std::int64_t p = begin; p < end; ++p) {
    const T* pixel = first_pixel + p * channels;
    const double weight = weights == nullptr ? 1 : static_cast<double>(weights[p]);
#pragma omp simd
    for (std::int64_t c = 0; c < count; ++c) {
      const auto value = static_cast<double>(static_cast<float>(pixel[c]));
      const double weighted = weight * value;
      sums.values[static_cast<std::size_t>(c)] += weighted;
      sums.squares[static_cast<std::size_t>(c)] += weighted * value;
    }
  }
}

/// The sums of `count` channels of one image. The number of pixels alone decides about the chunks,
/// whose sums are added in order.
template <class T>
Sums sums_of(const T* first_pixel, const float* weights, std::int64_t pixels, std::int64_t channels,
             std::int64_t count) {
  const std::int64_t chunk = std::max<std::int64_t>(512, (pixels + most_chunks - 1) / most_chunks);
  const std::int64_t chunks = (pixels + chunk - 1) / chunk;
  std::array<Sums, most_chunks> partial;
#pragma omp parallel for schedule(static) if (chunks > 1)
  for (std::int64_t i = 0; i < chunks; ++i) {
    Sums& own = partial[static_cast<std::size_t>(i)];
    own = {};
    add_pixels(own, first_pixel, weights, i * chunk, std::min(pixels, (i + 1) * chunk), channels,
               count);
  }
  Sums total;
  for (std::int64_t i = 0; i < chunks; ++i) {
    for (std::size_t c = 0; c < group; ++c) {
      total.values[c] += partial[static_cast<std::size_t>(i)].values[c];
      total.squares[c] += partial[static_cast<std::size_t>(i)].squares[c];
    }
  }
  return total;
}

}  // namespace

template <class T>
void channel_statistics(float* statistics, const T* features, const float* weights,
                        const MapSize& size) {
  const std::int64_t C = size.channels;
  const auto P = static_cast<double>(size.pixels());
  for (std::int64_t n = 0; n < size.batch; ++n) {
    for (std::int64_t first = 0; first < C; first += group) {
      const std::int64_t count = std::min(group, C - first);
      const Sums sums =
          sums_of(features + n * size.per_image() + first, weights, size.pixels(), C, count);
      for (std::int64_t c = 0; c < count; ++c) {
        const double mean = sums.values[static_cast<std::size_t>(c)] / P;
        const double square = sums.squares[static_cast<std::size_t>(c)] / P;
        const double variance = square - mean * mean;
        const bool rounding = variance <= least_relative_variance * square;
        float* own = statistics + 2 * n * C + first + c;
        own[0] = static_cast<float>(mean);
        own[C] = rounding ? 0 : static_cast<float>(std::sqrt(variance));
      }
    }
  }
}

void statistics_loss(float* loss, float* coefficients, const float* statistics, const float* target,
                     std::int64_t batch, std::int64_t channels, const StatisticsLossScale& scale) {
  const auto k = static_cast<float>(scale.gradient);
  for (std::int64_t n = 0; n < batch; ++n) {
    const float* mean = statistics + 2 * n * channels;
    const float* deviation = mean + channels;
    float* a = coefficients + 2 * n * channels;
    float* b = a + channels;
    double sum = 0;
    for (std::int64_t c = 0; c < channels; ++c) {
      const float own_mean = mean[c];
      const float own_deviation = deviation[c];
      const float by_mean = own_mean - target[c];
      const float by_deviation = own_deviation - target[channels + c];
      sum += static_cast<double>(by_mean) * static_cast<double>(by_mean) +
             static_cast<double>(by_deviation) * static_cast<double>(by_deviation);
      const float slope = own_deviation == 0 ? 0 : k * by_deviation / own_deviation;
      a[c] = k * by_mean - slope * own_mean;
      b[c] = slope;
    }
    loss[n] = static_cast<float>(scale.loss * sum);
  }
}

template <class T>
void statistics_backward(T* grad, const T* features, const float* coefficients, const MapSize& size,
                         const GradientEpilogue& epilogue) {
  const std::int64_t C = size.channels;
  with_epilogue(epilogue, [&]<class Epilogue>(Epilogue) {
#pragma omp parallel for schedule(static) if (parallel : size.count() >= min_parallel)
    for (std::int64_t p = 0; p < size.batch * size.pixels(); ++p) {
      const float* a = coefficients + p / size.pixels() * 2 * C;
      const float* b = a + C;
      const T* pixel = features + p * C;
      T* to = grad + p * C;
#pragma omp simd
      for (std::int64_t c = 0; c < C; ++c) {
        Epilogue::join(to + c, a[c] + b[c] * static_cast<float>(pixel[c]), pixel + c);
      }
    }
  });
}

#define IMPASTO_CHANNEL_STATISTICS(T)                                               \
  template void channel_statistics(float*, const T*, const float*, const MapSize&); \
  template void statistics_backward(T*, const T*, const float*, const MapSize&,     \
                                    const GradientEpilogue&);
IMPASTO_CHANNEL_STATISTICS(float)
IMPASTO_CHANNEL_STATISTICS(bfloat16)
#undef IMPASTO_CHANNEL_STATISTICS

}  // namespace impasto::kernels::cpu
