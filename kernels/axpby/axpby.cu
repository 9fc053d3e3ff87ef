// SPDX-License-Identifier: MIT
#include "kernels/axpby/axpby.hpp"
#include "kernels/common/blocks.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;

/// A thread takes one value at a time; the grid strides over the rest. Bound by memory, and called
/// a few times before the first iteration: plain loads are enough.
__global__ void __launch_bounds__(threads)
    axpby_kernel(float* y, double a, const float* x, double b, std::int64_t count) {
  const std::int64_t stride = std::int64_t{gridDim.x} * blockDim.x;
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count;
       i += stride) {
    const auto ax = static_cast<float>(a * static_cast<double>(x[i]));
    y[i] = b == 0 ? ax : ax + static_cast<float>(b * static_cast<double>(y[i]));
  }
}

}  // namespace

void axpby(float* y, double a, const float* x, double b, std::int64_t count, Stream stream) {
  const simt::Grid grid{"axpby", {blocks_for(count, threads)}, {threads}};
  simt::launch(axpby_kernel, grid, stream, y, a, x, b, count);
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
