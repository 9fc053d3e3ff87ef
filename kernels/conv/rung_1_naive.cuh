// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/blocks.hpp"
#include "kernels/common/pack.cuh"
#include "kernels/conv/conv_work.cuh"
#include "kernels/style_backward/join_gradient.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// A thread computes one value from 9 pixels, which its warp shares, and 9 pieces of its own filter,
/// `width` channels a load. Bound by these loads: those of a filter lie 9 pixels of channels from
/// its neighbour's, so that each touches sectors of its own, most of them in the L1 cache.
template <class T, int width>
__global__ void __launch_bounds__(256, 4) conv_naive_kernel(ConvWork<T> work) {
  const ConvSize& size = work.size;
  const int height = static_cast<int>(size.height);
  const int row_pixels = static_cast<int>(size.width);
  const int from_channels = static_cast<int>(size.in_channels);
  const int pixel = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y);
  if (pixel >= static_cast<int>(size.batch) * height * row_pixels) return;
  const int column = pixel % row_pixels;
  const int row = pixel / row_pixels % height;
  for (int k = static_cast<int>(threadIdx.x); k < static_cast<int>(size.out_channels);
       k += static_cast<int>(blockDim.x)) {
    float sum = work.bias == nullptr ? 0.0F : work.bias[k];
    for (int r = 0; r < 3; ++r) {
      for (int s = 0; s < 3; ++s) {
        const int h = row + r - 1;
        const int w = column + s - 1;
        if (h < 0 || h >= height || w < 0 || w >= row_pixels) continue;
        const T* x =
            work.from + (std::int64_t{pixel} + (r - 1) * row_pixels + s - 1) * from_channels;
        const T* filter = work.filters + ((std::int64_t{k} * 3 + r) * 3 + s) * from_channels;
        for (int c = 0; c < from_channels; c += width) {
          const auto values = load_pack<width>(x + c);
          const auto factors = load_pack<width>(filter + c);
#pragma unroll
          for (int v = 0; v < width; ++v) {
            sum += static_cast<float>(factors.values[v]) * static_cast<float>(values.values[v]);
          }
        }
      }
    }
    const float value[1] = {work.relu && sum < 0 ? 0.0F : sum};
    const std::int64_t at = pixel * size.out_channels + k;
    join_gradient<false>(work.to, work.features, at, 1, value, work.epilogue);
  }
}

struct ConvNaive {
  template <class T>
  static void run(const ConvWork<T>& work, simt::StreamHandle stream) {
    const ConvSize& size = work.size;
    const bool packed = can_pack<T>(widest<T>, size.in_channels, {work.from, work.filters});
    const std::int64_t pixels = size.batch * size.height * size.width;
    const unsigned blocks = blocks_for(pixels, 4, pixels);
    simt::launch(packed ? conv_naive_kernel<T, widest<T>> : conv_naive_kernel<T, 1>,
                 {"conv_naive", {blocks}, {64, 4}}, stream, work);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
