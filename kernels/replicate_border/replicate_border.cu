// SPDX-License-Identifier: MIT
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/blocks.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/replicate_border/replicate_border.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;

struct MeanPixel {
  float values[3];
};

/// A thread computes a value of y, in order of channels, so that a warp shares the pixels that it
/// reads. Its 27 weights lie 27 floats from its neighbour's. Bound by latency: there are few values.
template <class T>
__global__ void __launch_bounds__(threads)
    replicate_border_forward_kernel(T* y, const float* pixels, const float* weight,
                                    const float* bias, MeanPixel mean, MapSize size,
                                    std::int64_t count, bool relu) {
  const std::int64_t item = std::int64_t{blockIdx.x} * threads + threadIdx.x;
  if (item >= size.batch * count * size.channels) return;
  const std::int64_t k = item % size.channels;
  const std::int64_t n = item / size.channels / count;
  const BorderPixel at = border_pixel(item / size.channels % count, size.height, size.width);
  const float* image = pixels + n * size.pixels() * 3;
  float sum = bias[k];
  for (int tap = 0; tap < 9; ++tap) {
    const std::int64_t row = nearest_inside(at.row + tap / 3 - 1, size.height);
    const std::int64_t column = nearest_inside(at.column + tap % 3 - 1, size.width);
#pragma unroll
    for (int c = 0; c < 3; ++c) {
      const float value = image[(row * size.width + column) * 3 + c] - mean.values[c];
      sum += weight[27 * k + 3 * tap + c] * value;
    }
  }
  y[((n * size.height + at.row) * size.width + at.column) * size.channels + k] =
      static_cast<T>(relu && sum < 0 ? 0.0F : sum);
}

/// A thread computes what the places outside the picture give to one value of a pixel. Of each such
/// place three taps or fewer lie inside. Bound by latency.
template <class T>
__global__ void __launch_bounds__(threads)
    replicate_border_backward_kernel(float* grad_pixels, const T* grad_y, const float* weight,
                                     MapSize size, std::int64_t count) {
  const std::int64_t item = std::int64_t{blockIdx.x} * threads + threadIdx.x;
  if (item >= size.batch * count * 3) return;
  const std::int64_t c = item % 3;
  const std::int64_t n = item / 3 / count;
  const BorderPixel at = border_pixel(item / 3 % count, size.height, size.width);
  const T* image = grad_y + n * size.per_image();
  float sum = 0;
  for (int place = 0; place < 9; ++place) {
    const int down = place / 3 - 1;
    const int right = place % 3 - 1;
    if (place == 4 || !repeats(at.row, down, size.height) ||
        !repeats(at.column, right, size.width)) {
      continue;
    }
    for (int tap = 0; tap < 9; ++tap) {
      const std::int64_t row = at.row + down + 1 - tap / 3;
      const std::int64_t column = at.column + right + 1 - tap % 3;
      if (row < 0 || row >= size.height || column < 0 || column >= size.width) continue;
      const T* grad = image + (row * size.width + column) * size.channels;
      for (std::int64_t k = 0; k < size.channels; ++k) {
        sum += weight[27 * k + 3 * tap + c] * static_cast<float>(grad[k]);
      }
    }
  }
  grad_pixels[((n * size.height + at.row) * size.width + at.column) * 3 + c] += sum;
}

}  // namespace

template <class T>
void replicate_border_forward(T* y, const float* pixels, const float* weight, const float* bias,
                              const std::array<float, 3>& mean, const MapSize& y_size, bool relu,
                              Stream stream) {
  const std::int64_t count = border_count(y_size.height, y_size.width);
  const std::int64_t items = y_size.batch * count * y_size.channels;
  simt::launch(replicate_border_forward_kernel<T>,
               {"replicate_border_forward", {blocks_for(items, threads, items)}, {threads}}, stream,
               y, pixels, weight, bias, MeanPixel{{mean[0], mean[1], mean[2]}}, y_size, count,
               relu);
}

template <class T>
void replicate_border_backward(float* grad_pixels, const T* grad_y, const float* weight,
                               const MapSize& y_size, Stream stream) {
  const std::int64_t count = border_count(y_size.height, y_size.width);
  const std::int64_t items = y_size.batch * count * 3;
  simt::launch(replicate_border_backward_kernel<T>,
               {"replicate_border_backward", {blocks_for(items, threads, items)}, {threads}},
               stream, grad_pixels, grad_y, weight, y_size, count);
}

#define IMPASTO_REPLICATE_BORDER(T)                                                         \
  template void replicate_border_forward(T*, const float*, const float*, const float*,      \
                                         const std::array<float, 3>&, const MapSize&, bool, \
                                         Stream);                                           \
  template void replicate_border_backward(float*, const T*, const float*, const MapSize&, Stream);
IMPASTO_REPLICATE_BORDER(float)
IMPASTO_REPLICATE_BORDER(bfloat16)
IMPASTO_REPLICATE_BORDER(float16)
#undef IMPASTO_REPLICATE_BORDER

}  // namespace impasto::kernels::IMPASTO_DEVICE
