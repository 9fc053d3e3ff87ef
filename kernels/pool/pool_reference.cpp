// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include "kernels/common/larger.hpp"
#include "kernels/pool/pool.hpp"

namespace impasto::kernels::reference {
namespace {

std::int64_t at(const MapSize& size, std::int64_t n, std::int64_t h, std::int64_t w,
                std::int64_t c) {
  return ((n * size.height + h) * size.width + w) * size.channels + c;
}

/// The cells of x under one y: up to 2×2, fewer where an odd side ends.
struct Window {
  std::int64_t top, bottom, left, right;  ///< [top, bottom) × [left, right)
  Window(const MapSize& x_size, std::int64_t y_row, std::int64_t y_column)
      : top(2 * y_row),
        bottom(std::min(2 * y_row + 2, x_size.height)),
        left(2 * y_column),
        right(std::min(2 * y_column + 2, x_size.width)) {}
};

}  // namespace

void pool_forward(double* y, const double* x, const MapSize& x_size, const PoolKind& kind) {
  const MapSize y_size = pooled(x_size, kind.rounding);
  for (std::int64_t n = 0; n < y_size.batch; ++n) {
    for (std::int64_t i = 0; i < y_size.height; ++i) {
      for (std::int64_t j = 0; j < y_size.width; ++j) {
        const Window window(x_size, i, j);
        for (std::int64_t c = 0; c < x_size.channels; ++c) {
          double sum = 0;
          double squares = 0;
          double largest = x[at(x_size, n, window.top, window.left, c)];
          int cells = 0;
          for (std::int64_t h = window.top; h < window.bottom; ++h) {
            for (std::int64_t w = window.left; w < window.right; ++w) {
              const double value = x[at(x_size, n, h, w, c)];
              sum += value;
              squares += value * value;
              largest = larger(largest, value);
              ++cells;
            }
          }
          const bool is_max = kind.mode == PoolMode::max;
          y[at(y_size, n, i, j, c)] = kind.mode == PoolMode::l2 ? std::sqrt(squares)
                                      : is_max                  ? largest
                                                                : sum / cells;
        }
      }
    }
  }
}

void pool_backward(double* grad_x, const double* grad_y, const double* x, const MapSize& x_size,
                   const PoolKind& kind, const GradientEpilogue& epilogue) {
  if (!epilogue.accumulate) std::fill(grad_x, grad_x + x_size.count(), 0.0);

  const MapSize y_size = pooled(x_size, kind.rounding);
  for (std::int64_t n = 0; n < y_size.batch; ++n) {
    for (std::int64_t i = 0; i < y_size.height; ++i) {
      for (std::int64_t j = 0; j < y_size.width; ++j) {
        const Window window(x_size, i, j);
        for (std::int64_t c = 0; c < x_size.channels; ++c) {
          const double grad = grad_y[at(y_size, n, i, j, c)];
          std::int64_t first_largest = at(x_size, n, window.top, window.left, c);
          double squares = 0;
          const std::int64_t cells = (window.bottom - window.top) * (window.right - window.left);
          for (std::int64_t h = window.top; h < window.bottom; ++h) {
            for (std::int64_t w = window.left; w < window.right; ++w) {
              const std::int64_t cell = at(x_size, n, h, w, c);
              if (kind.mode == PoolMode::average) {
                grad_x[cell] += grad / static_cast<double>(cells);
              } else if (x[cell] > x[first_largest]) {
                first_largest = cell;
              }
              squares += x[cell] * x[cell];
            }
          }
          if (kind.mode == PoolMode::max) grad_x[first_largest] += grad;
          if (kind.mode != PoolMode::l2 || squares == 0) continue;
          for (std::int64_t h = window.top; h < window.bottom; ++h) {
            for (std::int64_t w = window.left; w < window.right; ++w) {
              const std::int64_t cell = at(x_size, n, h, w, c);
              grad_x[cell] += grad * x[cell] / std::sqrt(squares);
            }
          }
        }
      }
    }
  }

  if (epilogue.relu_mask) {
    for (std::int64_t i = 0; i < x_size.count(); ++i) {
      if (!(x[i] > 0)) grad_x[i] = 0;
    }
  }
}

}  // namespace impasto::kernels::reference
