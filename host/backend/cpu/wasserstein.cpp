// SPDX-License-Identifier: MIT
#include "host/backend/cpu/wasserstein.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/common/parallel.hpp"
#include "kernels/wasserstein_loss/newton_schulz.hpp"

namespace impasto::cpu {
namespace {

/// The steps of newton_schulz.hpp.
struct Steps {
  Matmul& matmul;
  std::int64_t batch;
  std::int64_t channels;

  [[nodiscard]] std::int64_t per_image() const { return channels * channels; }

  void covariance(float* to, const float* moment, const float* statistics,
                  const WassersteinScale& scale) const {
#pragma omp parallel for collapse(2) schedule(static)
    for (std::int64_t n = 0; n < batch; ++n) {
      for (std::int64_t i = 0; i < channels; ++i) {
        const float* means = statistics + 2 * n * channels;
        const std::int64_t row = n * per_image() + i * channels;
        const double mean = scale.mean * static_cast<double>(means[i]);
        for (std::int64_t j = 0; j < channels; ++j) {
          const double product = mean * scale.mean * static_cast<double>(means[j]);
          to[row + j] =
              static_cast<float>(scale.moment * static_cast<double>(moment[row + j]) - product);
        }
        to[row + i] += static_cast<float>(kernels::least_variance);
      }
    }
  }

  void multiply(float* c, const float* a, const float* b) const { multiply(c, a, b, batch); }
  void multiply_one(float* c, const float* a, const float* b) const { multiply(c, a, b, 1); }
  void multiply(float* c, const float* a, const float* b, std::int64_t images) const {
    const auto matrices = [&](const float* data) {
      return Matrix{const_cast<float*>(data), DataType::f32, images, channels, channels};
    };
    matmul(matrices(c), matrices(a), matrices(b), false);
  }

  void half_of_three_minus(float* x) const {
    const std::int64_t count = batch * per_image();
#pragma omp parallel for schedule(static) if (count > kernels::min_parallel)
    for (std::int64_t i = 0; i < count; ++i) x[i] *= -0.5F;
    add_to_diagonals(x, [](std::int64_t /*n*/) { return 1.5F; });
  }

  void normalise(float* y, float* z, float* norm) const {
    divide(y, z, norm);
    add_to_diagonals(z, [](std::int64_t /*n*/) { return 1.0F; });
  }
  void normalise_root(float* y, float* z, const float* of, float* norm) const {
    divide(y, z, norm);
    add_to_diagonals(z, [=](std::int64_t n) { return 1 / (norm[n] * std::sqrt(of[n])); });
  }

 private:
  /// norm = |y|; y = y/norm; z = 0
  void divide(float* y, float* z, float* norm) const {
    for (std::int64_t n = 0; n < batch; ++n) {
      float* own = y + n * per_image();
      const double squares =
          kernels::ordered_sum(per_image(), [&](std::int64_t begin, std::int64_t end) {
            double sum = 0;
            for (std::int64_t i = begin; i < end; ++i) {
              sum += static_cast<double>(own[i]) * static_cast<double>(own[i]);
            }
            return sum;
          });
      norm[n] = static_cast<float>(std::sqrt(squares));
      for (std::int64_t i = 0; i < per_image(); ++i) own[i] /= norm[n];
    }
    std::fill_n(z, batch * per_image(), 0.0F);
  }

  template <class OfImage>
  void add_to_diagonals(float* x, OfImage added) const {
    for (std::int64_t n = 0; n < batch; ++n) {
      for (std::int64_t i = 0; i < channels; ++i) {
        x[n * per_image() + i * (channels + 1)] += added(n);
      }
    }
  }
};

/// The distance of one image from the diagonals; y is the root of AΣA divided by root_scale. Terms are
/// double, because near the end the traces agree in their leading digits.
double distance(const float* gram, const float* means, const float* y, double root_scale,
                const WassersteinTarget& target, std::int64_t channels,
                const WassersteinScale& scale) {
  const auto* wanted_means = target.statistics.as<float>();
  const auto* wanted_moment = target.second_moment.as<float>();
  double sum = 0;
  for (std::int64_t c = 0; c < channels; ++c) {
    const std::int64_t diagonal = c * (channels + 1);
    const double mean = scale.mean * static_cast<double>(means[c]);
    const auto wanted = static_cast<double>(wanted_means[c]);
    const double own = scale.moment * static_cast<double>(gram[diagonal]) - mean * mean;
    const double theirs = static_cast<double>(wanted_moment[diagonal]) - wanted * wanted;
    sum += (mean - wanted) * (mean - wanted) + own + theirs + 2 * kernels::least_variance -
           2 * root_scale * static_cast<double>(y[diagonal]);
  }
  return sum;
}

}  // namespace

float* Wasserstein::workspace(std::int64_t batch, std::int64_t channels) {
  const auto floats = static_cast<std::size_t>(kernels::wasserstein_workspace(batch, channels));
  workspace_.resize(std::max(workspace_.size(), floats));
  return workspace_.data();
}

void Wasserstein::covariance_root(const Tensor& root, const Tensor& second_moment,
                                  const Tensor& statistics) {
  const std::int64_t C = root.shape.channels;
  Steps steps{matmul_, 1, C};
  kernels::NewtonSchulzMemory memory(workspace(1, C), 1, C);
  steps.covariance(memory.y, second_moment.as<float>(), statistics.as<float>(), {});
  kernels::take_root(steps, memory);
  const float scale = std::sqrt(*memory.norm);
  std::transform(memory.y, memory.y + C * C, root.as<float>(),
                 [scale](float value) { return scale * value; });
}

void Wasserstein::loss(const Tensor& loss, const Tensor& matrix, const Tensor& coefficients,
                       const Tensor& gram, const Tensor& statistics,
                       const WassersteinTarget& target, const WassersteinScale& scale) {
  const std::int64_t N = gram.shape.batch;
  const std::int64_t C = gram.shape.channels;
  const auto* root = target.root.as<float>();
  Steps steps{matmul_, N, C};
  kernels::NewtonSchulzMemory memory(workspace(N, C), N, C);
  steps.covariance(memory.y, gram.as<float>(), statistics.as<float>(), scale);
  kernels::sandwich(steps, memory, root, memory.y);
  kernels::take_root(steps, memory);
  for (std::int64_t n = 0; n < N; ++n) {
    const double root_scale = std::sqrt(static_cast<double>(memory.norm[n]));
    loss.as<float>()[n] = static_cast<float>(
        scale.loss * distance(gram.as<float>() + n * C * C, statistics.as<float>() + 2 * n * C,
                              memory.y + n * C * C, root_scale, target, C, scale));
  }
  kernels::invert_root(steps, memory);
  kernels::sandwich(steps, memory, root, memory.z);

  const auto* wanted = target.statistics.as<float>();
  const double k = 2 * scale.gradient * scale.moment;
#pragma omp parallel for collapse(2) schedule(static)
  for (std::int64_t n = 0; n < N; ++n) {
    for (std::int64_t i = 0; i < C; ++i) {
      const float* means = statistics.as<float>() + 2 * n * C;
      const float* transport = memory.y + (n * C + i) * C;
      float* row = matrix.as<float>() + (n * C + i) * C;
      double transported = 0;
      for (std::int64_t j = 0; j < C; ++j) {
        const auto x = static_cast<double>(transport[j]);
        transported += x * scale.mean * static_cast<double>(means[j]);
        row[j] = static_cast<float>(k * ((i == j ? 1.0 : 0.0) - x));
      }
      float* own = coefficients.as<float>() + 2 * n * C;
      own[i] = static_cast<float>(k / scale.mean * (transported - static_cast<double>(wanted[i])));
      own[C + i] = 0;
    }
  }
}

}  // namespace impasto::cpu
