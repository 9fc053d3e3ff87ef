// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/blocks.hpp"
#include "kernels/common/pack.cuh"
#include "kernels/first_conv/first_conv.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

struct FirstConvMean {
  float values[3];
};

/// A thread computes one value of y from 27 pixel values, which its warp shares, and 27 weights,
/// which lie 27 floats from its neighbour's. Bound by these loads, two for a multiply-add, most of
/// them from the L1 cache.
template <class T>
__global__ void __launch_bounds__(256)
    first_conv_forward_naive_kernel(T* y, const float* pixels, const float* weight,
                                    const float* bias, FirstConvMean mean, MapSize size,
                                    bool relu) {
  const std::int64_t at = std::int64_t{blockIdx.x} * 256 + threadIdx.x;
  if (at >= size.count()) return;
  const std::int64_t k = at % size.channels;
  const std::int64_t column = at / size.channels % size.width;
  const std::int64_t row = at / size.channels / size.width % size.height;
  const float* image = pixels + at / size.per_image() * size.pixels() * 3;
  float sum = bias[k];
  for (int r = 0; r < 3; ++r) {
    for (int s = 0; s < 3; ++s) {
      const std::int64_t h = row + r - 1;
      const std::int64_t w = column + s - 1;
      if (h < 0 || h >= size.height || w < 0 || w >= size.width) continue;
      for (int c = 0; c < 3; ++c) {
        const float value = image[(h * size.width + w) * 3 + c] - mean.values[c];
        sum += weight[((k * 3 + r) * 3 + s) * 3 + c] * value;
      }
    }
  }
  y[at] = static_cast<T>(relu && sum < 0 ? 0.0F : sum);
}

/// A thread computes one value of a pixel's gradient from 9 taps of every channel. The threads of
/// the pixel's other two values read the same gradients; those of the next pixel lie C further, so
/// that a warp's loads are spread over ten lines. Bound by these loads. For a tap outside the image
/// some pixel is read and not used.
template <class T>
__global__ void __launch_bounds__(256)
    first_conv_backward_naive_kernel(float* grad_pixels, const T* grad_y, const float* weight,
                                     MapSize size) {
  const std::int64_t at = std::int64_t{blockIdx.x} * 256 + threadIdx.x;
  if (at >= size.batch * size.pixels() * 3) return;
  const std::int64_t c = at % 3;
  const std::int64_t column = at / 3 % size.width;
  const std::int64_t row = at / 3 / size.width % size.height;
  const T* image = grad_y + at / 3 / size.pixels() * size.per_image();
  float sum = 0;
  for (int r = 0; r < 3; ++r) {
    for (int s = 0; s < 3; ++s) {
      const std::int64_t h = row + 1 - r;
      const std::int64_t w = column + 1 - s;
      const bool inside = h >= 0 && h < size.height && w >= 0 && w < size.width;
      const T* pixel = image + (inside ? (h * size.width + w) * size.channels : 0);
      for (std::int64_t k = 0; k < size.channels; ++k) {
        const auto grad = load_pack<1>(pixel + k);
        const auto factor = load_pack<1>(weight + ((k * 3 + r) * 3 + s) * 3 + c);
        if (inside) sum += factor.values[0] * static_cast<float>(grad.values[0]);
      }
    }
  }
  grad_pixels[at] = sum;
}

struct FirstConvForwardNaive {
  template <class T>
  static void launch(T* y, const float* pixels, const float* weight, const float* bias,
                     const std::array<float, 3>& mean, const MapSize& y_size, bool relu,
                     simt::StreamHandle stream) {
    const unsigned blocks = blocks_for(y_size.count(), 256, y_size.count());
    simt::launch(first_conv_forward_naive_kernel<T>, {"first_conv_forward_naive", {blocks}, {256}},
                 stream, y, pixels, weight, bias, FirstConvMean{{mean[0], mean[1], mean[2]}},
                 y_size, relu);
  }
};

struct FirstConvBackwardNaive {
  template <class T>
  static void launch(float* grad_pixels, const T* grad_y, const float* weight,
                     const MapSize& y_size, simt::StreamHandle stream) {
    const std::int64_t count = y_size.batch * y_size.pixels() * 3;
    const unsigned blocks = blocks_for(count, 256, count);
    simt::launch(first_conv_backward_naive_kernel<T>,
                 {"first_conv_backward_naive", {blocks}, {256}}, stream, grad_pixels, grad_y,
                 weight, y_size);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
