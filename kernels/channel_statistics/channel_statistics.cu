// SPDX-License-Identifier: MIT
#include <cmath>

#include "kernels/channel_statistics/channel_statistics.hpp"
#include "kernels/common/blocks.hpp"
#include "kernels/common/epilogue.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/common/pack.cuh"
#include "kernels/common/reduce.cuh"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;
constexpr int rows = threads / 32;

/// A block takes 32 neighbouring channels and a share of the pixels of one image; a thread one of
/// these channels, at every eighth pixel of the share. So a warp reads 32 neighbouring values. It
/// adds in double: a mean square in float is too coarse to take the square of the mean from. Bound
/// by memory, on GPUs with few double units by two additions and a conversion per value.
template <class T>
__global__ void __launch_bounds__(threads)
    statistics_sums_kernel(double* sums, const T* features, const float* weights,
                           std::int64_t pixels, std::int64_t channels) {
  SIMT_SHARED(double, row_sums, [2 * threads]);
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int row = static_cast<int>(threadIdx.x / 32);
  const std::int64_t c = std::int64_t{blockIdx.x} * 32 + lane;
  double sum = 0;
  double squares = 0;
  if (c < channels) {
    const T* own = features + blockIdx.z * pixels * channels + c;
    const std::int64_t stride = std::int64_t{gridDim.y} * rows;
    for (std::int64_t p = std::int64_t{blockIdx.y} * rows + row; p < pixels; p += stride) {
      const auto value = static_cast<double>(static_cast<float>(own[p * channels]));
      const double weighted = weights == nullptr ? value : double{weights[p]} * value;
      sum += weighted;
      squares += weighted * value;
    }
  }
  row_sums[threadIdx.x] = sum;
  row_sums[threads + threadIdx.x] = squares;
  __syncthreads();
  if (row >= 2 || c >= channels) return;
  // Row 0 adds the values, row 1 the squares.
  double total = 0;
  for (int r = 0; r < rows; ++r) total += row_sums[row * threads + r * 32 + lane];
  sums[((std::int64_t{blockIdx.z} * gridDim.y + blockIdx.y) * 2 + row) * channels + c] = total;
}

/// A thread adds what the shares of one channel came to, in order. A few thousand values: the launch
/// is most of it.
__global__ void __launch_bounds__(threads)
    statistics_kernel(float* statistics, const double* sums, std::int64_t shares,
                      std::int64_t pixels, std::int64_t channels) {
  const std::int64_t c = std::int64_t{blockIdx.x} * threads + threadIdx.x;
  if (c >= channels) return;
  const std::int64_t n = blockIdx.y;
  double sum = 0;
  double squares = 0;
  for (std::int64_t s = 0; s < shares; ++s) {
    const double* own = sums + (n * shares + s) * 2 * channels + c;
    sum += own[0];
    squares += own[channels];
  }
  const auto P = static_cast<double>(pixels);
  const double mean = sum / P;
  const double square = squares / P;
  const double variance = square - mean * mean;
  const bool rounding = variance <= least_relative_variance * square;
  statistics[2 * n * channels + c] = static_cast<float>(mean);
  statistics[(2 * n + 1) * channels + c] =
      rounding ? 0.0F : static_cast<float>(std::sqrt(variance));
}

/// One block for each image; a thread takes channels in strides. The launch is most of it.
__global__ void __launch_bounds__(threads)
    statistics_loss_kernel(float* loss, float* coefficients, const float* statistics,
                           const float* target, std::int64_t channels, double loss_scale,
                           float gradient_scale) {
  SIMT_SHARED(double, warp_sums, [32]);
  const std::int64_t first = std::int64_t{blockIdx.x} * 2 * channels;
  double sum = 0;
  for (std::int64_t c = threadIdx.x; c < channels; c += threads) {
    const float mean = statistics[first + c];
    const float deviation = statistics[first + channels + c];
    const float by_mean = mean - target[c];
    const float by_deviation = deviation - target[channels + c];
    sum += static_cast<double>(by_mean) * static_cast<double>(by_mean) +
           static_cast<double>(by_deviation) * static_cast<double>(by_deviation);
    const float slope = deviation == 0 ? 0.0F : gradient_scale * by_deviation / deviation;
    coefficients[first + c] = gradient_scale * by_mean - slope * mean;
    coefficients[first + channels + c] = slope;
  }
  sum = block_sum(sum, warp_sums);
  if (threadIdx.x == 0) loss[blockIdx.x] = static_cast<float>(loss_scale * sum);
}

/// A thread takes `width` neighbouring channels of a pixel at a time; blockIdx.y is the image. The
/// coefficients come from cache. Bound by memory.
template <class T, int width, class Epilogue>
__global__ void __launch_bounds__(threads)
    statistics_backward_kernel(T* grad, const T* features, const float* coefficients,
                               std::int64_t per_image, std::int64_t channels) {
  features += blockIdx.y * per_image;
  grad += blockIdx.y * per_image;
  coefficients += std::int64_t{blockIdx.y} * 2 * channels;
  const std::int64_t stride = std::int64_t{gridDim.x} * threads * width;
  for (std::int64_t i = (std::int64_t{blockIdx.x} * threads + threadIdx.x) * width; i < per_image;
       i += stride) {
    const float* own = coefficients + i % channels;
    const auto pack = load_pack<width>(features + i);
    Pack<T, width> result;
    if constexpr (Epilogue::reads_grad) result = load_pack<width>(grad + i);
#pragma unroll
    for (int j = 0; j < width; ++j) {
      const float value = own[j] + own[channels + j] * static_cast<float>(pack.values[j]);
      Epilogue::join(&result.values[j], value, &pack.values[j]);
    }
    store_pack<width>(grad + i, result);
  }
}

}  // namespace

template <class T>
void channel_statistics(float* statistics, const T* features, const float* weights,
                        const MapSize& size, double* workspace, Stream stream) {
  const std::int64_t C = size.channels;
  const std::int64_t shares = statistics_shares(size);
  const auto images = static_cast<unsigned>(size.batch);
  simt::launch(statistics_sums_kernel<T>,
               {"statistics_sums",
                {static_cast<unsigned>((C + 31) / 32), static_cast<unsigned>(shares), images},
                {threads}},
               stream, workspace, features, weights, size.pixels(), C);
  simt::launch(
      statistics_kernel,
      {"statistics", {static_cast<unsigned>((C + threads - 1) / threads), images}, {threads}},
      stream, statistics, workspace, shares, size.pixels(), C);
}

void statistics_loss(float* loss, float* coefficients, const float* statistics, const float* target,
                     std::int64_t batch, std::int64_t channels, const StatisticsLossScale& scale,
                     Stream stream) {
  simt::launch(statistics_loss_kernel,
               {"statistics_loss", {static_cast<unsigned>(batch)}, {threads}}, stream, loss,
               coefficients, statistics, target, channels, scale.loss,
               static_cast<float>(scale.gradient));
}

template <class T>
void statistics_backward(T* grad, const T* features, const float* coefficients, const MapSize& size,
                         const GradientEpilogue& epilogue, Stream stream) {
  const bool packed = can_pack<T>(widest<T>, size.channels, {grad, features});
  const std::int64_t per_block = threads * (packed ? widest<T> : 1);
  const simt::Grid grid{
      "statistics_backward",
      {blocks_for(size.per_image(), per_block), static_cast<unsigned>(size.batch)},
      {threads}};
  with_epilogue(epilogue, [&]<class Epilogue>(Epilogue) {
    simt::launch(packed ? statistics_backward_kernel<T, widest<T>, Epilogue>
                        : statistics_backward_kernel<T, 1, Epilogue>,
                 grid, stream, grad, features, coefficients, size.per_image(), size.channels);
  });
}

#define IMPASTO_CHANNEL_STATISTICS(T)                                                       \
  template void channel_statistics(float*, const T*, const float*, const MapSize&, double*, \
                                   Stream);                                                 \
  template void statistics_backward(T*, const T*, const float*, const MapSize&,             \
                                    const GradientEpilogue&, Stream);
IMPASTO_CHANNEL_STATISTICS(float)
IMPASTO_CHANNEL_STATISTICS(bfloat16)
IMPASTO_CHANNEL_STATISTICS(float16)
#undef IMPASTO_CHANNEL_STATISTICS

}  // namespace impasto::kernels::IMPASTO_DEVICE
