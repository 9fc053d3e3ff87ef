// SPDX-License-Identifier: MIT
#include "kernels/colour_map/colour_map.hpp"
#include "kernels/common/blocks.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;

/// A thread takes a pixel at a time; the grid strides over the rest. Its three loads are 12 bytes
/// apart from its neighbour's and share their sectors. Bound by memory.
template <bool accumulate>
__global__ void __launch_bounds__(threads)
    colour_map_kernel(float* y, const float* x, ColourMatrix matrix, std::int64_t pixels) {
  const std::int64_t stride = std::int64_t{gridDim.x} * threads;
  for (std::int64_t p = std::int64_t{blockIdx.x} * threads + threadIdx.x; p < pixels; p += stride) {
    const float from[3] = {x[3 * p], x[3 * p + 1], x[3 * p + 2]};
#pragma unroll
    for (int i = 0; i < 3; ++i) {
      const float mapped = matrix.values[3 * i] * from[0] + matrix.values[3 * i + 1] * from[1] +
                           matrix.values[3 * i + 2] * from[2];
      if constexpr (accumulate) {
        y[3 * p + i] += mapped;
      } else {
        y[3 * p + i] = mapped;
      }
    }
  }
}

}  // namespace

void colour_map(float* y, const float* x, const ColourMatrix& matrix, bool accumulate,
                std::int64_t pixels, Stream stream) {
  const simt::Grid grid{"colour_map", {blocks_for(pixels, threads)}, {threads}};
  simt::launch(accumulate ? colour_map_kernel<true> : colour_map_kernel<false>, grid, stream, y, x,
               matrix, pixels);
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
