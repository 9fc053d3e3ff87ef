// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include "kernels/common/epilogue.hpp"
#include "kernels/common/larger.hpp"
#include "kernels/common/parallel.hpp"
#include "kernels/pool/pool.hpp"

// A window is pooled for all channels at once: they are contiguous, and the window's cells are a
// pixel or a row apart. One thread takes a row of windows.
namespace impasto::kernels::cpu {
namespace {

/// For a cell outside the map its neighbour inside is read again: that changes no maximum, and
/// (a + a) + (c + c) is exactly 2·(a + c), so that a quarter of it is the average of the two cells.
/// Of squares it is left out.
template <PoolMode mode, class T>
void window_forward(T* y, const T* x, std::int64_t right, std::int64_t below, std::int64_t C) {
  const float has_right = right == 0 ? 0 : 1;
  const float has_below = below == 0 ? 0 : 1;
#pragma omp simd
  for (std::int64_t c = 0; c < C; ++c) {
    const auto a = static_cast<float>(x[c]);
    const auto b = static_cast<float>(x[c + right]);
    const auto d = static_cast<float>(x[c + below]);
    const auto e = static_cast<float>(x[c + below + right]);
    if constexpr (mode == PoolMode::average) {
      store(y + c, ((a + b) + (d + e)) * 0.25F);
    } else if constexpr (mode == PoolMode::l2) {
      store(y + c,
            std::sqrt((a * a + has_right * (b * b)) + has_below * (d * d + has_right * (e * e))));
    } else {
      store(y + c, larger(larger(a, b), larger(d, e)));
    }
  }
}

template <PoolMode mode, class T>
void forward(T* y, const T* x, const MapSize& x_size, PoolRounding rounding) {
  const MapSize y_size = pooled(x_size, rounding);
  const std::int64_t C = x_size.channels;
#pragma omp parallel for collapse(2) schedule(static) if (x_size.count() >= min_parallel)
  for (std::int64_t n = 0; n < y_size.batch; ++n) {
    for (std::int64_t i = 0; i < y_size.height; ++i) {
      T* y_row = y + (n * y_size.height + i) * y_size.width * C;
      const T* x_row = x + (n * x_size.height + 2 * i) * x_size.width * C;
      const std::int64_t below = 2 * i + 1 < x_size.height ? x_size.width * C : 0;
      for (std::int64_t j = 0; j < y_size.width; ++j) {
        const std::int64_t right = 2 * j + 1 < x_size.width ? C : 0;
        window_forward<mode>(y_row + j * C, x_row + 2 * j * C, right, below, C);
      }
    }
  }
}

/// Gives the `rows` × `columns` cells of a window their share of one pixel of grad_y.
template <PoolMode mode, int rows, int columns, class Epilogue, class T>
void window_backward(T* grad_x, const T* grad_y, const T* x, std::int64_t row, std::int64_t C) {
#pragma omp simd
  for (std::int64_t c = 0; c < C; ++c) {
    const auto grad = static_cast<float>(grad_y[c]);
    int first_largest = 0;
    float slope = 0;
    if constexpr (mode == PoolMode::l2) {
      float squares = 0;
      for (int cell = 0; cell < rows * columns; ++cell) {
        const auto value = static_cast<float>(x[c + cell / columns * row + cell % columns * C]);
        squares += value * value;
      }
      slope = squares == 0 ? 0 : grad / std::sqrt(squares);
    } else if constexpr (mode == PoolMode::max) {
      auto largest = static_cast<float>(x[c]);
      for (int cell = 1; cell < rows * columns; ++cell) {
        const auto value = static_cast<float>(x[c + cell / columns * row + cell % columns * C]);
        first_largest = value > largest ? cell : first_largest;
        largest = value > largest ? value : largest;
      }
    }
    for (int cell = 0; cell < rows * columns; ++cell) {
      const std::int64_t at = c + cell / columns * row + cell % columns * C;
      float share = 0;
      if constexpr (mode == PoolMode::average) {
        share = grad / (rows * columns);
      } else if constexpr (mode == PoolMode::l2) {
        share = slope * static_cast<float>(x[at]);
      } else {
        share = cell == first_largest ? grad : 0;
      }
      Epilogue::join(grad_x + at, share, x + at);
    }
  }
}

/// Cells that no window covers.
template <class Epilogue, class T>
void dropped_backward(T* grad_x, const T* x, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) Epilogue::join(grad_x + i, 0, x + i);
}

/// One row of windows, each `rows` high.
template <PoolMode mode, int rows, class Epilogue, class T>
void row_backward(T* grad_x, const T* grad_y, const T* x, const MapSize& x_size,
                  PoolRounding rounding) {
  const std::int64_t C = x_size.channels;
  const std::int64_t row = x_size.width * C;
  for (std::int64_t j = 0; j < x_size.width / 2; ++j) {
    const std::int64_t left = 2 * j * C;
    window_backward<mode, rows, 2, Epilogue>(grad_x + left, grad_y + j * C, x + left, row, C);
  }
  if (x_size.width % 2 == 0) return;
  const std::int64_t last = row - C;
  if (rounding == PoolRounding::up) {
    window_backward<mode, rows, 1, Epilogue>(grad_x + last, grad_y + x_size.width / 2 * C, x + last,
                                             row, C);
  } else {
    for (int i = 0; i < rows; ++i) {
      dropped_backward<Epilogue>(grad_x + last + i * row, x + last + i * row, C);
    }
  }
}

template <PoolMode mode, class Epilogue, class T>
void backward(T* grad_x, const T* grad_y, const T* x, const MapSize& x_size,
              PoolRounding rounding) {
  const MapSize y_size = pooled(x_size, rounding);
  const std::int64_t row = x_size.width * x_size.channels;
  const std::int64_t row_pairs = (x_size.height + 1) / 2;
#pragma omp parallel for collapse(2) schedule(static) if (x_size.count() >= min_parallel)
  for (std::int64_t n = 0; n < x_size.batch; ++n) {
    for (std::int64_t i = 0; i < row_pairs; ++i) {
      const std::int64_t top = (n * x_size.height + 2 * i) * row;
      const T* grad_y_row = grad_y + (n * y_size.height + i) * y_size.width * x_size.channels;
      if (2 * i + 1 < x_size.height) {
        row_backward<mode, 2, Epilogue>(grad_x + top, grad_y_row, x + top, x_size, rounding);
      } else if (rounding == PoolRounding::up) {
        row_backward<mode, 1, Epilogue>(grad_x + top, grad_y_row, x + top, x_size, rounding);
      } else {
        dropped_backward<Epilogue>(grad_x + top, x + top, row);
      }
    }
  }
}

}  // namespace

template <class T>
void pool_forward(T* y, const T* x, const MapSize& x_size, const PoolKind& kind) {
  with_pool_mode(kind.mode, [&](auto mode) { forward<mode()>(y, x, x_size, kind.rounding); });
}

template <class T>
void pool_backward(T* grad_x, const T* grad_y, const T* x, const MapSize& x_size,
                   const PoolKind& kind, const GradientEpilogue& epilogue) {
  with_epilogue(epilogue, [&]<class Epilogue>(Epilogue) {
    with_pool_mode(kind.mode, [&](auto mode) {
      backward<mode(), Epilogue>(grad_x, grad_y, x, x_size, kind.rounding);
    });
  });
}

template void pool_forward(float*, const float*, const MapSize&, const PoolKind&);
template void pool_forward(bfloat16*, const bfloat16*, const MapSize&, const PoolKind&);
template void pool_backward(float*, const float*, const float*, const MapSize&, const PoolKind&,
                            const GradientEpilogue&);
template void pool_backward(bfloat16*, const bfloat16*, const bfloat16*, const MapSize&,
                            const PoolKind&, const GradientEpilogue&);

}  // namespace impasto::kernels::cpu
