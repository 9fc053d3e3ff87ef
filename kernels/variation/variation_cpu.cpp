// SPDX-License-Identifier: MIT
#include "kernels/common/parallel.hpp"
#include "kernels/variation/slopes.hpp"

namespace impasto::kernels::cpu {

void variation(float* loss, float* grad_pixels, const float* pixels, const MapSize& size,
               const VariationOptions& options) {
  const VariationSlopes slopes(size, options);
  const std::int64_t C = size.channels;
  const std::int64_t row = size.width * C;
  const std::int64_t H = size.height;
  const auto scale = static_cast<float>(options.gradient);
  for (std::int64_t n = 0; n < size.batch; ++n) {
    const float* image = pixels + n * size.per_image();
    float* grad = grad_pixels == nullptr ? nullptr : grad_pixels + n * size.per_image();
    const auto rows_sum = [&](std::int64_t begin, std::int64_t end) {
      double sum = 0;
      for (std::int64_t h = begin; h < end; ++h) {
        for (std::int64_t at = 0; at < row; ++at) {
          const VariationSlopes::At here = slopes(image, h, at, H, row, C);
          sum += static_cast<double>(here.value);
          if (grad == nullptr) continue;
          grad[h * row + at] += scale * slopes.gradient(here, image, h, at, H, row, C);
        }
      }
      return sum;
    };
    const std::int64_t rows_per_chunk = std::max<std::int64_t>(1, 4096 / row);
    loss[n] = static_cast<float>(options.loss * ordered_sum(H, rows_sum, rows_per_chunk));
  }
}

}  // namespace impasto::kernels::cpu
