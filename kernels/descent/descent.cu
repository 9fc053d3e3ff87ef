// SPDX-License-Identifier: MIT
#include "kernels/clamp/clamp.hpp"
#include "kernels/common/blocks.hpp"
#include "kernels/descent/descent.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;

/// Counts the step and writes its rate. One thread in a kernel of its own: no block counts before
/// another one has read, and the power, in double, is computed once.
__global__ void rate_kernel(float* rate, std::int64_t* step, double learning_rate,
                            RateDecay decay) {
  const auto t = static_cast<double>((*step)++);
  rate[0] = static_cast<float>(learning_rate * decay.after(t));
}

/// A thread takes one value at a time; the grid strides over the rest. Bound by memory; a picture is
/// small, so plain loads are enough.
__global__ void __launch_bounds__(threads)
    descent_kernel(float* pixels, const float* grad, const float* rate, std::int64_t count,
                   float lowest, float highest) {
  const std::int64_t stride = std::int64_t{gridDim.x} * threads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x; i < count; i += stride) {
    pixels[i] = clamped(pixels[i] - rate[0] * grad[i], lowest, highest);
  }
}

}  // namespace

void descent(float* pixels, std::int64_t* step, const float* grad, std::int64_t count,
             const DescentOptions& options, float* workspace, Stream stream) {
  simt::launch(rate_kernel, {"descent_rate", {1}, {1}}, stream, workspace, step,
               options.learning_rate / options.gradient_scale, options.decay);
  simt::launch(descent_kernel, {"descent", {blocks_for(count, threads)}, {threads}}, stream, pixels,
               grad, workspace, count, static_cast<float>(options.lowest),
               static_cast<float>(options.highest));
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
