// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "kernels/common/blocks.hpp"
#include "kernels/pool/pool.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// A thread computes one value of grad_x: it finds the value's window, searches it for the maximum or
/// adds its squares, and joins the gradient that is there. Loads are coalesced along the channels, one value each.
/// Four threads search each window, so a maximum costs 5 loads of x where 1 would do. Bound by the
/// number of loads that can be under way, not by memory.
template <class T>
__global__ void __launch_bounds__(256)
    pool_backward_naive_kernel(T* grad_x, const T* grad_y, const T* x, MapSize x_size,
                               MapSize y_size, PoolMode mode, GradientEpilogue epilogue) {
  const std::int64_t at = std::int64_t{blockIdx.x} * 256 + threadIdx.x;
  if (at >= x_size.count()) return;
  const std::int64_t C = x_size.channels;
  const std::int64_t c = at % C;
  const std::int64_t column = at / C % x_size.width;
  const std::int64_t row = at / C / x_size.width % x_size.height;
  const std::int64_t n = at / x_size.per_image();
  const std::int64_t i = row / 2;
  const std::int64_t j = column / 2;
  const std::int64_t rows = x_size.height - 2 * i < 2 ? 1 : 2;
  const std::int64_t columns = x_size.width - 2 * j < 2 ? 1 : 2;
  float part = 0;
  if (i < y_size.height && j < y_size.width) {
    part = static_cast<float>(grad_y[((n * y_size.height + i) * y_size.width + j) * C + c]);
    if (mode == PoolMode::average) part /= static_cast<float>(rows * columns);
  }
  if (mode != PoolMode::average) {
    std::int64_t first_largest = 0;
    float largest = 0;
    float squares = 0;
    for (std::int64_t cell = 0; cell < rows * columns; ++cell) {
      const std::int64_t h = 2 * i + cell / columns;
      const std::int64_t w = 2 * j + cell % columns;
      const auto value =
          static_cast<float>(x[((n * x_size.height + h) * x_size.width + w) * C + c]);
      if (cell == 0 || value > largest) {
        largest = value;
        first_largest = cell;
      }
      squares += value * value;
    }
    if (mode == PoolMode::l2) {
      part = squares == 0 ? 0.0F : part / std::sqrt(squares) * static_cast<float>(x[at]);
    } else if ((row - 2 * i) * columns + column - 2 * j != first_largest)
      part = 0;
  }
  if (epilogue.accumulate) part += static_cast<float>(grad_x[at]);
  if (epilogue.relu_mask && !(static_cast<float>(x[at]) > 0)) part = 0;
  grad_x[at] = static_cast<T>(part);
}

struct PoolBackwardNaive {
  template <class T>
  static void launch(T* grad_x, const T* grad_y, const T* x, const MapSize& x_size,
                     const PoolKind& kind, const GradientEpilogue& epilogue,
                     simt::StreamHandle stream) {
    const unsigned blocks = blocks_for(x_size.count(), 256, x_size.count());
    simt::launch(pool_backward_naive_kernel<T>, {"pool_backward_naive", {blocks}, {256}}, stream,
                 grad_x, grad_y, x, x_size, pooled(x_size, kind.rounding), kind.mode, epilogue);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
