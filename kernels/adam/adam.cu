// SPDX-License-Identifier: MIT
#include <cmath>

#include "kernels/adam/adam.hpp"
#include "kernels/common/blocks.hpp"
#include "kernels/common/pack.cuh"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;

/// Counts the step and writes what all pixels need of it: both forms are
/// x −= rate·m / (√(v_scale·v) + ε). One thread, in a kernel of its own: so no block counts before
/// another has read, and the powers, in double, are taken once and not by every block.
__global__ void step_kernel(float* rate_and_v_scale, std::int64_t* step, double learning_rate,
                            double beta1, double beta2, bool pytorch) {
  const auto t = static_cast<double>(++*step);
  const double m_correction = 1 - std::pow(beta1, t);
  const double v_correction = 1 - std::pow(beta2, t);
  const double correction = pytorch ? 1 / m_correction : std::sqrt(v_correction) / m_correction;
  rate_and_v_scale[0] = static_cast<float>(learning_rate * correction);
  rate_and_v_scale[1] = static_cast<float>(pytorch ? 1 / v_correction : 1);
}

struct Constants {
  float beta1, beta2, keep1, keep2, epsilon, lowest, highest, unscale;
};

__device__ __forceinline__ void update(float& pixel, float& m, float& v, float grad, float rate,
                                       float v_scale, const Constants& constants) {
  const float g = constants.unscale * grad;
  m = constants.beta1 * m + constants.keep1 * g;
  v = constants.beta2 * v + constants.keep2 * g * g;
  const float moved = pixel - rate * m / (std::sqrt(v_scale * v) + constants.epsilon);
  // Written so that a NaN stays one.
  const float raised = moved < constants.lowest ? constants.lowest : moved;
  pixel = raised > constants.highest ? constants.highest : raised;
}

/// One thread takes `group` neighbouring values at a time, with 4 in loads of 16 bytes; the grid
/// strides over the rest. Bound by memory: 28 bytes moved per value, a square root and a division.
template <int group>
__global__ void __launch_bounds__(threads)
    adam_kernel(float* pixels, float* m, float* v, const float* grad, const float* rate_and_v_scale,
                std::int64_t count, Constants constants) {
  const float rate = rate_and_v_scale[0];
  const float v_scale = rate_and_v_scale[1];
  const std::int64_t stride = std::int64_t{gridDim.x} * blockDim.x;
  const std::int64_t first = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  for (std::int64_t i = first; i < count / group; i += stride) {
    auto pixel_pack = load_pack<group>(pixels + group * i);
    auto m_pack = load_pack<group>(m + group * i);
    auto v_pack = load_pack<group>(v + group * i);
    const auto grad_pack = load_pack<group>(grad + group * i);
#pragma unroll
    for (int j = 0; j < group; ++j) {
      update(pixel_pack.values[j], m_pack.values[j], v_pack.values[j], grad_pack.values[j], rate,
             v_scale, constants);
    }
    store_pack<group>(pixels + group * i, pixel_pack);
    store_pack<group>(m + group * i, m_pack);
    store_pack<group>(v + group * i, v_pack);
  }
  // Up to three values are left where their number is no multiple of 4.
  const std::int64_t left = count / group * group + first;
  if (left < count) {
    update(pixels[left], m[left], v[left], grad[left], rate, v_scale, constants);
  }
}

}  // namespace

void adam(float* pixels, float* m, float* v, std::int64_t* step, const float* grad,
          std::int64_t count, const AdamOptions& options, float* workspace, Stream stream) {
  simt::launch(step_kernel, {"adam_step", {1}, {1}}, stream, workspace, step, options.learning_rate,
               options.beta1, options.beta2, options.form == AdamEpsilon::pytorch);

  const Constants constants{
      static_cast<float>(options.beta1),     static_cast<float>(options.beta2),
      static_cast<float>(1 - options.beta1), static_cast<float>(1 - options.beta2),
      static_cast<float>(options.epsilon),   static_cast<float>(options.lowest),
      static_cast<float>(options.highest),   static_cast<float>(1 / options.gradient_scale)};
  const bool packed = can_pack<float>(4, 4, {pixels, m, v, grad});
  const int group = packed ? 4 : 1;
  const simt::Grid grid{"adam", {blocks_for(count, threads * group)}, {threads}};
  simt::launch(packed ? adam_kernel<4> : adam_kernel<1>, grid, stream, pixels, m, v, grad,
               workspace, count, constants);
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
