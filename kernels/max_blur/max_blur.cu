// SPDX-License-Identifier: MIT
#include "kernels/common/epilogue.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/common/larger.hpp"
#include "kernels/max_blur/max_blur.hpp"
#include "kernels/pool/pool_windows.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

template <class T, int width>
struct Cells {
  Pack<T, width> packs[4];
};

template <class T, int width>
__device__ __forceinline__ Cells<T, width> load_row(const T* from, std::int64_t channels) {
  Cells<T, width> row;
#pragma unroll
  for (int k = 0; k < 4; ++k) row.packs[k] = load_pack<width>(from + k * channels);
  return row;
}

/// A thread takes a value of y in a pack of 16 bytes of its channels, from 4×4 cells of x: one row
/// of maxima at a time. Neighbouring threads read neighbouring packs. A cell is read by up to four
/// threads of a block, mostly from the L1 cache; bound by these loads.
template <class T, int width>
__global__ void __launch_bounds__(pool_threads)
    max_blur_forward_kernel(T* y, const T* x, MapSize x_size, MapSize y_size) {
  const std::int64_t C = x_size.channels;
  const std::int64_t n = blockIdx.z;
  const auto one_item = [=](std::int64_t i, std::int64_t j, std::int64_t channel) {
    const BlurSupport rows = blur_support(i, x_size.height);
    const BlurSupport columns = blur_support(j, x_size.width);
    const T* from =
        x + ((n * x_size.height + rows.first) * x_size.width + columns.first) * C + channel;
    float sums[width] = {};
    Cells<T, width> above = load_row<T, width>(from, C);
#pragma unroll
    for (int a = 0; a < 3; ++a) {
      from += x_size.width * C;
      const Cells<T, width> below = load_row<T, width>(from, C);
#pragma unroll
      for (int b = 0; b < 3; ++b) {
        const float weight = rows.weight(a) * columns.weight(b);
#pragma unroll
        for (int k = 0; k < width; ++k) {
          const float upper = larger(static_cast<float>(above.packs[b].values[k]),
                                     static_cast<float>(above.packs[b + 1].values[k]));
          const float lower = larger(static_cast<float>(below.packs[b].values[k]),
                                     static_cast<float>(below.packs[b + 1].values[k]));
          sums[k] += weight * larger(upper, lower);
        }
      }
      above = below;
    }
    Pack<T, width> result;
#pragma unroll
    for (int k = 0; k < width; ++k) result.values[k] = static_cast<T>(sums[k]);
    store_pack<width>(y + ((n * y_size.height + i) * y_size.width + j) * C + channel, result);
  };
  for_each_window<width>(y_size.height, y_size.width, C, one_item);
}

/// Adds to `sums` what the window at (p, q) gives to its cell number `cell`.
template <class T, int width>
__device__ __forceinline__ void add_window(float (&sums)[width], const T* grad_y, const T* x,
                                           std::int64_t p, std::int64_t q, int cell,
                                           const MapSize& x_size, const MapSize& y_size) {
  const std::int64_t C = x_size.channels;
  const BlurReach rows = blur_reach(p, x_size.height);
  const BlurReach columns = blur_reach(q, x_size.width);
  float grads[width] = {};
  for (std::int64_t i = rows.first; i <= rows.last; ++i) {
    const float row_weight = blur_weight(i, p, x_size.height);
    for (std::int64_t j = columns.first; j <= columns.last; ++j) {
      const float weight = row_weight * blur_weight(j, q, x_size.width);
      const auto grad = load_pack<width>(grad_y + (i * y_size.width + j) * C);
#pragma unroll
      for (int k = 0; k < width; ++k) grads[k] += weight * static_cast<float>(grad.values[k]);
    }
  }
  const T* corner = x + (p * x_size.width + q) * C;
  const auto a = load_pack<width>(corner);
  const auto b = load_pack<width>(corner + C);
  const auto c = load_pack<width>(corner + x_size.width * C);
  const auto d = load_pack<width>(corner + x_size.width * C + C);
#pragma unroll
  for (int k = 0; k < width; ++k) {
    const FirstMaximum most =
        first_maximum(static_cast<float>(a.values[k]), static_cast<float>(b.values[k]),
                      static_cast<float>(c.values[k]), static_cast<float>(d.values[k]));
    if (most.cell == cell) sums[k] += grads[k];
  }
}

/// A thread takes a cell of x in a pack of its channels, and asks the four windows that it lies in
/// for their gradient: no atomics, and the sum has one order. 16 loads of x and about 9 of grad_y,
/// nearly all from the L1 cache; bound by these loads.
template <class T, int width, class Epilogue>
__global__ void __launch_bounds__(pool_threads, 4)
    max_blur_backward_kernel(T* grad_x, const T* grad_y, const T* x, MapSize x_size,
                             MapSize y_size) {
  const std::int64_t C = x_size.channels;
  const std::int64_t n = blockIdx.z;
  const auto one_item = [=](std::int64_t h, std::int64_t w, std::int64_t channel) {
    const T* image = x + n * x_size.per_image() + channel;
    const T* grads = grad_y + n * y_size.per_image() + channel;
    float sums[width] = {};
    for (int cell = 3; cell >= 0; --cell) {
      const std::int64_t p = h - cell / 2;
      const std::int64_t q = w - cell % 2;
      if (p < 0 || q < 0 || p + 1 >= x_size.height || q + 1 >= x_size.width) continue;
      add_window<T, width>(sums, grads, image, p, q, cell, x_size, y_size);
    }
    const std::int64_t at = ((n * x_size.height + h) * x_size.width + w) * C + channel;
    Pack<T, width> result{};
    if constexpr (Epilogue::reads_grad) result = load_pack<width>(grad_x + at);
    Pack<T, width> feature{};
    if constexpr (Epilogue::reads_feature) feature = load_pack<width>(x + at);
#pragma unroll
    for (int k = 0; k < width; ++k) {
      Epilogue::join(&result.values[k], sums[k], &feature.values[k]);
    }
    store_pack<width>(grad_x + at, result);
  };
  for_each_window<width>(x_size.height, x_size.width, C, one_item);
}

}  // namespace

template <class T>
void max_blur_forward(T* y, const T* x, const MapSize& x_size, Stream stream) {
  const MapSize y_size = max_blurred(x_size);
  const auto run = [&](auto kernel, int width) {
    simt::launch(kernel, pool_grid("max_blur_forward", y_size, width), stream, y, x, x_size,
                 y_size);
  };
  constexpr int pack = widest<T>;
  if (can_pack<T>(pack, x_size.channels, {y, x})) {
    run(max_blur_forward_kernel<T, pack>, pack);
  } else {
    run(max_blur_forward_kernel<T, 1>, 1);
  }
}

template <class T>
void max_blur_backward(T* grad_x, const T* grad_y, const T* x, const MapSize& x_size,
                       const GradientEpilogue& epilogue, Stream stream) {
  const MapSize y_size = max_blurred(x_size);
  const auto run = [&](auto kernel, int width) {
    simt::launch(kernel, pool_grid("max_blur_backward", x_size, width), stream, grad_x, grad_y, x,
                 x_size, y_size);
  };
  constexpr int pack = widest<T>;
  const bool packed = can_pack<T>(pack, x_size.channels, {grad_x, grad_y, x});
  with_epilogue(epilogue, [&]<class Epilogue>(Epilogue) {
    if (packed) {
      run(max_blur_backward_kernel<T, pack, Epilogue>, pack);
    } else {
      run(max_blur_backward_kernel<T, 1, Epilogue>, 1);
    }
  });
}

#define IMPASTO_MAX_BLUR(T)                                                                        \
  template void max_blur_forward(T*, const T*, const MapSize&, Stream);                            \
  template void max_blur_backward(T*, const T*, const T*, const MapSize&, const GradientEpilogue&, \
                                  Stream);
IMPASTO_MAX_BLUR(float)
IMPASTO_MAX_BLUR(bfloat16)
IMPASTO_MAX_BLUR(float16)
#undef IMPASTO_MAX_BLUR

}  // namespace impasto::kernels::IMPASTO_DEVICE
