// SPDX-License-Identifier: MIT
#include <algorithm>
#include <vector>

#include "kernels/common/epilogue.hpp"
#include "kernels/common/larger.hpp"
#include "kernels/common/parallel.hpp"
#include "kernels/max_blur/max_blur.hpp"

// The blur is separable: first over rows, into a buffer of one row that stays in the cache, then
// over columns. Channels are contiguous and are the innermost loop everywhere.
namespace impasto::kernels::cpu {
namespace {

/// One row of y from the four rows of x under it. `blurred` holds W−1 cells.
template <class T>
void forward_row(T* y, const T* x, float* blurred, const BlurSupport& rows, const MapSize& size) {
  const std::int64_t C = size.channels;
  const std::int64_t row = size.width * C;
  const T* top = x + rows.first * row;
  for (std::int64_t i = 0; i < row - C; ++i) blurred[i] = 0;
  for (int a = 0; a < 3; ++a, top += row) {
    const float weight = rows.weight(a);
#pragma omp simd
    for (std::int64_t i = 0; i < row - C; ++i) {
      const auto upper = larger(static_cast<float>(top[i]), static_cast<float>(top[i + C]));
      const auto lower =
          larger(static_cast<float>(top[i + row]), static_cast<float>(top[i + row + C]));
      blurred[i] += weight * larger(upper, lower);
    }
  }
  for (std::int64_t j = 0; j < size.width / 2 + 1; ++j) {
    const BlurSupport columns = blur_support(j, size.width);
    const float left = columns.weight(0);
    const float middle = columns.weight(1);
    const float right = columns.weight(2);
    const float* from = blurred + columns.first * C;
#pragma omp simd
    for (std::int64_t c = 0; c < C; ++c) {
      store(y + j * C + c, left * from[c] + middle * from[c + C] + right * from[c + 2 * C]);
    }
  }
}

/// The windows of one row of m: each one's gradient and which of its cells gets it. A window that
/// is not there, in front of the first and behind the last, has no gradient.
struct WindowRow {
  std::vector<float> grad;
  std::vector<std::int32_t> cell;

  explicit WindowRow(const MapSize& size)
      : grad(static_cast<std::size_t>((size.width + 1) * size.channels)), cell(grad.size()) {}

  void clear() { std::fill(grad.begin(), grad.end(), 0.0F); }

  /// The p-th row of an image. `blurred` holds as many cells as a row of y.
  template <class T>
  void fill(const T* grad_y, const T* x, float* blurred, std::int64_t p, const MapSize& size) {
    const std::int64_t C = size.channels;
    const std::int64_t y_row = (size.width / 2 + 1) * C;
    std::fill(blurred, blurred + y_row, 0.0F);
    const BlurReach rows = blur_reach(p, size.height);
    for (std::int64_t i = rows.first; i <= rows.last; ++i) {
      const float weight = blur_weight(i, p, size.height);
      const T* from = grad_y + i * y_row;
#pragma omp simd
      for (std::int64_t k = 0; k < y_row; ++k) blurred[k] += weight * static_cast<float>(from[k]);
    }
    const std::int64_t row = size.width * C;
    const T* top = x + p * row;
    for (std::int64_t q = 0; q < size.width - 1; ++q) {
      float* to = grad.data() + (q + 1) * C;
      std::int32_t* winner = cell.data() + (q + 1) * C;
      const BlurReach columns = blur_reach(q, size.width);
      std::fill(to, to + C, 0.0F);
      for (std::int64_t j = columns.first; j <= columns.last; ++j) {
        const float weight = blur_weight(j, q, size.width);
        const float* from = blurred + j * C;
#pragma omp simd
        for (std::int64_t c = 0; c < C; ++c) to[c] += weight * from[c];
      }
      const T* corner = top + q * C;
#pragma omp simd
      for (std::int64_t c = 0; c < C; ++c) {
        const auto a = static_cast<float>(corner[c]);
        const auto b = static_cast<float>(corner[c + C]);
        const auto d = static_cast<float>(corner[c + row]);
        const auto e = static_cast<float>(corner[c + row + C]);
        const float upper = b > a ? b : a;
        const float lower = e > d ? e : d;
        const std::int32_t in_upper = b > a ? 1 : 0;
        const std::int32_t in_lower = e > d ? 3 : 2;
        winner[c] = lower > upper ? in_lower : in_upper;
      }
    }
  }
};

/// A row of x, each of whose cells lies in two windows above and two below.
template <class Epilogue, class T>
void gather_row(T* grad_x, const T* x, const WindowRow& above, const WindowRow& below,
                const MapSize& size) {
  const std::int64_t C = size.channels;
  const float* up = above.grad.data();
  const float* down = below.grad.data();
  const std::int32_t* up_cell = above.cell.data();
  const std::int32_t* down_cell = below.cell.data();
#pragma omp simd
  for (std::int64_t i = 0; i < size.width * C; ++i) {
    float sum = up_cell[i] == 3 ? up[i] : 0;
    sum += up_cell[i + C] == 2 ? up[i + C] : 0;
    sum += down_cell[i] == 1 ? down[i] : 0;
    sum += down_cell[i + C] == 0 ? down[i + C] : 0;
    Epilogue::join(grad_x + i, sum, x + i);
  }
}

template <class Epilogue, class T>
void backward(T* grad_x, const T* grad_y, const T* x, const MapSize& size) {
  constexpr std::int64_t strip = 8;  // rows, for each of which the windows below it are found once
  const MapSize y_size = max_blurred(size);
  const std::int64_t row = size.width * size.channels;
  const std::int64_t strips = (size.height + strip - 1) / strip;
#pragma omp parallel if (size.count() >= min_parallel)
  {
    WindowRow above(size);
    WindowRow below(size);
    std::vector<float> blurred(static_cast<std::size_t>(y_size.width * y_size.channels));
#pragma omp for collapse(2) schedule(static)
    for (std::int64_t n = 0; n < size.batch; ++n) {
      for (std::int64_t s = 0; s < strips; ++s) {
        const T* image = x + n * size.per_image();
        const T* grads = grad_y + n * y_size.per_image();
        const auto fill = [&](WindowRow& windows, std::int64_t p) {
          if (p < 0 || p + 1 >= size.height) return windows.clear();
          windows.fill(grads, image, blurred.data(), p, size);
        };
        fill(above, s * strip - 1);
        for (std::int64_t h = s * strip; h < std::min((s + 1) * strip, size.height); ++h) {
          fill(below, h);
          gather_row<Epilogue>(grad_x + n * size.per_image() + h * row, image + h * row, above,
                               below, size);
          std::swap(above, below);
        }
      }
    }
  }
}

}  // namespace

template <class T>
void max_blur_forward(T* y, const T* x, const MapSize& x_size) {
  const MapSize y_size = max_blurred(x_size);
#pragma omp parallel if (x_size.count() >= min_parallel)
  {
    std::vector<float> blurred(static_cast<std::size_t>(x_size.width * x_size.channels));
#pragma omp for collapse(2) schedule(static)
    for (std::int64_t n = 0; n < y_size.batch; ++n) {
      for (std::int64_t i = 0; i < y_size.height; ++i) {
        forward_row(y + (n * y_size.height + i) * y_size.width * y_size.channels,
                    x + n * x_size.per_image(), blurred.data(), blur_support(i, x_size.height),
                    x_size);
      }
    }
  }
}

template <class T>
void max_blur_backward(T* grad_x, const T* grad_y, const T* x, const MapSize& x_size,
                       const GradientEpilogue& epilogue) {
  with_epilogue(epilogue,
                [&]<class Epilogue>(Epilogue) { backward<Epilogue>(grad_x, grad_y, x, x_size); });
}

template void max_blur_forward(float*, const float*, const MapSize&);
template void max_blur_forward(bfloat16*, const bfloat16*, const MapSize&);
template void max_blur_backward(float*, const float*, const float*, const MapSize&,
                                const GradientEpilogue&);
template void max_blur_backward(bfloat16*, const bfloat16*, const bfloat16*, const MapSize&,
                                const GradientEpilogue&);

}  // namespace impasto::kernels::cpu
