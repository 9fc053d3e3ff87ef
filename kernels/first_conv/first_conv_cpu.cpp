// SPDX-License-Identifier: MIT
#include "kernels/common/parallel.hpp"
#include "kernels/first_conv/first_conv.hpp"

namespace impasto::kernels::cpu {

std::vector<SimdLine> first_conv_filters_by_tap(const float* weight, std::int64_t channels) {
  constexpr std::int64_t taps_and_colors = 27;
  std::vector<SimdLine> lines = simd_lines(taps_and_colors * channels);
  float* by_tap = lines.front().values;
  for (std::int64_t k = 0; k < channels; ++k) {
    for (std::int64_t i = 0; i < taps_and_colors; ++i) {
      by_tap[i * channels + k] = weight[k * taps_and_colors + i];
    }
  }
  return lines;
}

template <class T>
void first_conv_backward(float* grad_pixels, const T* grad_y, const float* weight,
                         const MapSize& y_size, Simd simd) {
  const std::vector<SimdLine> by_tap = first_conv_filters_by_tap(weight, y_size.channels);
  const std::int64_t line = y_size.width * y_size.channels;
#pragma omp parallel for schedule(static) if (y_size.count() >= min_parallel)
  for (std::int64_t row = 0; row < y_size.batch * y_size.height; ++row) {
    const std::int64_t h = row % y_size.height;
    const T* at = grad_y + row * line;
    first_conv_backward<T>(
        {grad_pixels + row * y_size.width * 3,
         {h + 1 < y_size.height ? at + line : nullptr, at, h > 0 ? at - line : nullptr},
         by_tap.front().values,
         y_size.width,
         y_size.channels},
        simd);
  }
}

template void first_conv_backward(float*, const float*, const float*, const MapSize&, Simd);
template void first_conv_backward(float*, const bfloat16*, const float*, const MapSize&, Simd);

}  // namespace impasto::kernels::cpu
