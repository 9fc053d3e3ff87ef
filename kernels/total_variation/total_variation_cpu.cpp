// SPDX-License-Identifier: MIT
#include "kernels/common/parallel.hpp"
#include "kernels/total_variation/total_variation.hpp"

namespace impasto::kernels::cpu {
namespace {

/// A row of the image, the one above and the one below; at the border the row itself, which differs
/// by 0.
struct Rows {
  const float* here;
  const float* above;
  const float* below;
  std::int64_t channels;
};

/// Values [begin, end) of a row, which all have a neighbour on a side or all have none.
template <bool has_left, bool has_right, bool with_gradient>
double span_sum(float* grad, const Rows& rows, std::int64_t begin, std::int64_t end, float scale) {
  const float* here = rows.here;
  const float* above = rows.above;
  const float* below = rows.below;
  const std::int64_t C = rows.channels;
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = begin; i < end; ++i) {
    const float down = here[i] - below[i];
    float right = 0;
    if constexpr (has_right) right = here[i] - here[i + C];
    sum += static_cast<double>(down) * static_cast<double>(down) +
           static_cast<double>(right) * static_cast<double>(right);
    if constexpr (with_gradient) {
      float left = 0;
      if constexpr (has_left) left = here[i] - here[i - C];
      grad[i] += scale * ((here[i] - above[i]) + down + left + right);
    }
  }
  return sum;
}

template <bool with_gradient>
double row_sum(float* grad, const Rows& rows, std::int64_t width, float scale) {
  const std::int64_t C = rows.channels;
  if (width == 1) return span_sum<false, false, with_gradient>(grad, rows, 0, C, scale);
  const std::int64_t last = (width - 1) * C;
  return span_sum<false, true, with_gradient>(grad, rows, 0, C, scale) +
         span_sum<true, true, with_gradient>(grad, rows, C, last, scale) +
         span_sum<true, false, with_gradient>(grad, rows, last, last + C, scale);
}

}  // namespace

void total_variation(float* loss, float* grad_pixels, const float* pixels, const MapSize& size,
                     const VariationScale& scale) {
  const std::int64_t row = size.width * size.channels;
  const std::int64_t rows_per_chunk = std::max<std::int64_t>(1, 4096 / row);
  const auto gradient_scale = static_cast<float>(scale.gradient);
  for (std::int64_t n = 0; n < size.batch; ++n) {
    const float* image = pixels + n * size.per_image();
    float* grad = grad_pixels == nullptr ? nullptr : grad_pixels + n * size.per_image();
    const auto chunk_sum = [&](std::int64_t begin, std::int64_t end) {
      double sum = 0;
      for (std::int64_t h = begin; h < end; ++h) {
        const float* here = image + h * row;
        const Rows rows{here, h > 0 ? here - row : here, h < size.height - 1 ? here + row : here,
                        size.channels};
        sum += grad == nullptr ? row_sum<false>(nullptr, rows, size.width, gradient_scale)
                               : row_sum<true>(grad + h * row, rows, size.width, gradient_scale);
      }
      return sum;
    };
    loss[n] = static_cast<float>(scale.loss * ordered_sum(size.height, chunk_sum, rows_per_chunk));
  }
}

}  // namespace impasto::kernels::cpu
