// SPDX-License-Identifier: MIT
#include "kernels/common/blocks.hpp"
#include "kernels/common/reduce.cuh"
#include "kernels/wasserstein_loss/newton_schulz.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;

/// S − μμᵀ + ε·I. A thread takes a value; blockIdx.y is the image. Bound by its launch, as are all
/// kernels here: the time goes into the products between them.
__global__ void __launch_bounds__(threads)
    covariance_kernel(float* covariance, const float* moment, const float* means,
                      std::int64_t channels, std::int64_t means_apart, float moment_scale,
                      float mean_scale) {
  const std::int64_t count = channels * channels;
  const std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x;
  if (i >= count) return;
  const float* own = means + blockIdx.y * means_apart;
  const std::int64_t row = i / channels;
  const std::int64_t column = i % channels;
  const float product = mean_scale * own[row] * (mean_scale * own[column]);
  const float added = row == column ? static_cast<float>(least_variance) : 0.0F;
  covariance[blockIdx.y * count + i] =
      moment_scale * moment[blockIdx.y * count + i] - product + added;
}

/// norm[n] = |x[n]|, one block for each image. Squares are summed in double.
__global__ void __launch_bounds__(threads)
    norm_kernel(float* norm, const float* x, std::int64_t count) {
  SIMT_SHARED(double, warp_sums, [32]);
  const float* own = x + blockIdx.x * count;
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < count; i += threads) {
    sum += static_cast<double>(own[i]) * static_cast<double>(own[i]);
  }
  sum = block_sum(sum, warp_sums);
  if (threadIdx.x == 0) norm[blockIdx.x] = static_cast<float>(std::sqrt(sum));
}

/// y = y/norm; z = I, divided by norm·√of where there is an `of`. A thread takes a value.
__global__ void __launch_bounds__(threads)
    normalise_kernel(float* y, float* z, const float* norm, const float* of,
                     std::int64_t channels) {
  const std::int64_t count = channels * channels;
  const std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x;
  if (i >= count) return;
  const float by = norm[blockIdx.y];
  const float one = of == nullptr ? 1.0F : 1.0F / (by * std::sqrt(of[blockIdx.y]));
  y[blockIdx.y * count + i] /= by;
  z[blockIdx.y * count + i] = i / channels == i % channels ? one : 0.0F;
}

/// x = (3·I − x)/2. A thread takes a value.
__global__ void __launch_bounds__(threads)
    half_of_three_minus_kernel(float* x, std::int64_t channels) {
  const std::int64_t count = channels * channels;
  const std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x;
  if (i >= count) return;
  const float diagonal = i / channels == i % channels ? 1.5F : 0.0F;
  x[blockIdx.y * count + i] = diagonal - 0.5F * x[blockIdx.y * count + i];
}

/// to = √norm · y, of one matrix. A thread takes a value.
__global__ void __launch_bounds__(threads)
    scaled_root_kernel(float* to, const float* y, const float* norm, std::int64_t count) {
  const std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x;
  if (i < count) to[i] = std::sqrt(*norm) * y[i];
}

/// The loss from the diagonals, one block for each image. y is the root of AΣA divided by √norm. Terms
/// are double, because near the end the traces agree in their leading digits.
__global__ void __launch_bounds__(threads)
    wasserstein_loss_kernel(float* loss, const float* gram, const float* statistics,
                            WassersteinTarget<float> target, const float* y, const float* norm,
                            std::int64_t channels, WassersteinScale scale) {
  SIMT_SHARED(double, warp_sums, [32]);
  const std::int64_t image = blockIdx.x * channels * channels;
  const float* means = statistics + std::int64_t{blockIdx.x} * 2 * channels;
  const double root_scale = std::sqrt(static_cast<double>(norm[blockIdx.x]));
  double sum = 0;
  for (std::int64_t c = threadIdx.x; c < channels; c += threads) {
    const std::int64_t diagonal = c * (channels + 1);
    const double mean = scale.mean * static_cast<double>(means[c]);
    const auto wanted = static_cast<double>(target.means[c]);
    const double own = scale.moment * static_cast<double>(gram[image + diagonal]) - mean * mean;
    const double theirs = static_cast<double>(target.second_moment[diagonal]) - wanted * wanted;
    const double root = root_scale * static_cast<double>(y[image + diagonal]);
    sum += (mean - wanted) * (mean - wanted) + own + theirs + 2 * least_variance - 2 * root;
  }
  sum = block_sum(sum, warp_sums);
  if (threadIdx.x == 0) loss[blockIdx.x] = static_cast<float>(scale.loss * sum);
}

/// M and a from X. A warp takes a row of X, its lanes the columns; blockIdx.y is the image.
__global__ void __launch_bounds__(threads)
    transport_kernel(float* matrix, float* coefficients, const float* transport,
                     const float* statistics, const float* wanted, std::int64_t channels, float k,
                     float mean_scale) {
  const std::int64_t row = std::int64_t{blockIdx.x} * (threads / 32) + threadIdx.x / 32;
  if (row >= channels) return;
  const unsigned lane = threadIdx.x % 32;
  const std::int64_t first = (blockIdx.y * channels + row) * channels;
  const std::int64_t own = std::int64_t{blockIdx.y} * 2 * channels;
  float sum = 0;
  for (std::int64_t j = lane; j < channels; j += 32) {
    const float x = transport[first + j];
    sum += x * (mean_scale * statistics[own + j]);
    matrix[first + j] = k * ((row == j ? 1.0F : 0.0F) - x);
  }
  sum = warp_sum(sum);
  if (lane != 0) return;
  coefficients[own + row] = k / mean_scale * (sum - wanted[row]);
  coefficients[own + channels + row] = 0;
}

/// The steps of newton_schulz.hpp.
struct DeviceSteps {
  std::int64_t batch;
  std::int64_t channels;
  const MatrixProduct& product;
  Stream stream;

  [[nodiscard]] simt::Grid grid(const char* name) const {
    const std::int64_t blocks = (channels * channels + threads - 1) / threads;
    return {name, {static_cast<unsigned>(blocks), static_cast<unsigned>(batch)}, {threads}};
  }
  void covariance(float* to, const float* moment, const float* means, std::int64_t means_apart,
                  const WassersteinScale& scale) const {
    simt::launch(covariance_kernel, grid("covariance"), stream, to, moment, means, channels,
                 means_apart, static_cast<float>(scale.moment), static_cast<float>(scale.mean));
  }
  void multiply(float* c, const float* a, const float* b) const { product(c, a, b, batch); }
  void multiply_one(float* c, const float* a, const float* b) const { product(c, a, b, 1); }
  void half_of_three_minus(float* x) const {
    simt::launch(half_of_three_minus_kernel, grid("half_of_three_minus"), stream, x, channels);
  }
  void normalise(float* y, float* z, float* norm) const { normalise_root(y, z, nullptr, norm); }
  void normalise_root(float* y, float* z, const float* of, float* norm) const {
    simt::launch(norm_kernel, {"norm", {static_cast<unsigned>(batch)}, {threads}}, stream, norm, y,
                 channels * channels);
    simt::launch(normalise_kernel, grid("normalise"), stream, y, z, norm, of, channels);
  }
};

}  // namespace

void covariance_root(float* root, const float* second_moment, const float* means,
                     std::int64_t channels, const MatrixProduct& multiply, float* workspace,
                     Stream stream) {
  DeviceSteps steps{1, channels, multiply, stream};
  NewtonSchulzMemory memory(workspace, 1, channels);
  steps.covariance(memory.y, second_moment, means, 0, {});
  take_root(steps, memory);
  simt::launch(scaled_root_kernel, steps.grid("scaled_root"), stream, root, memory.y, memory.norm,
               channels * channels);
}

void wasserstein_loss(float* loss, float* matrix, float* coefficients, const float* gram,
                      const float* statistics, const WassersteinTarget<float>& target,
                      std::int64_t batch, std::int64_t channels, const WassersteinScale& scale,
                      const MatrixProduct& multiply, float* workspace, Stream stream) {
  DeviceSteps steps{batch, channels, multiply, stream};
  NewtonSchulzMemory memory(workspace, batch, channels);
  steps.covariance(memory.y, gram, statistics, 2 * channels, scale);
  sandwich(steps, memory, target.root, memory.y);
  take_root(steps, memory);
  const auto images = static_cast<unsigned>(batch);
  simt::launch(wasserstein_loss_kernel, {"wasserstein_loss", {images}, {threads}}, stream, loss,
               gram, statistics, target, memory.y, memory.norm, channels, scale);
  invert_root(steps, memory);
  sandwich(steps, memory, target.root, memory.z);
  constexpr std::int64_t rows = threads / 32;
  simt::launch(
      transport_kernel,
      {"transport", {static_cast<unsigned>((channels + rows - 1) / rows), images}, {threads}},
      stream, matrix, coefficients, memory.y, statistics, target.means, channels,
      static_cast<float>(2 * scale.gradient * scale.moment), static_cast<float>(scale.mean));
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
