// SPDX-License-Identifier: MIT
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/parallel.hpp"
#include "kernels/replicate_border/replicate_border.hpp"

namespace impasto::kernels::cpu {

template <class T>
void replicate_border_forward(T* y, const float* pixels, const float* weight, const float* bias,
                              const std::array<float, 3>& mean, const MapSize& y_size, bool relu) {
  const std::int64_t H = y_size.height, W = y_size.width, K = y_size.channels;
  const std::int64_t count = border_count(H, W);
#pragma omp parallel for collapse(2) schedule(static) if (count * K >= min_parallel)
  for (std::int64_t n = 0; n < y_size.batch; ++n) {
    for (std::int64_t number = 0; number < count; ++number) {
      const auto [h, w] = border_pixel(number, H, W);
      std::array<float, 27> patch{};
      for (std::int64_t tap = 0; tap < 9; ++tap) {
        const std::int64_t row = nearest_inside(h + tap / 3 - 1, H);
        const std::int64_t column = nearest_inside(w + tap % 3 - 1, W);
        const float* pixel = pixels + ((n * H + row) * W + column) * 3;
        for (std::size_t c = 0; c < 3; ++c) {
          patch.at(static_cast<std::size_t>(3 * tap) + c) = pixel[c] - mean.at(c);
        }
      }
      T* to = y + ((n * H + h) * W + w) * K;
      for (std::int64_t k = 0; k < K; ++k) {
        const float* filter = weight + 27 * k;
        float sum = bias[k];
        for (std::size_t i = 0; i < patch.size(); ++i) sum += filter[i] * patch.at(i);
        store(to + k, relu && sum < 0 ? 0.0F : sum);
      }
    }
  }
}

template <class T>
void replicate_border_backward(float* grad_pixels, const T* grad_y, const float* weight,
                               const MapSize& y_size) {
  const std::int64_t H = y_size.height, W = y_size.width, K = y_size.channels;
  const std::int64_t count = border_count(H, W);
#pragma omp parallel for collapse(2) schedule(static) if (count * K >= min_parallel)
  for (std::int64_t n = 0; n < y_size.batch; ++n) {
    for (std::int64_t number = 0; number < count; ++number) {
      const auto [h, w] = border_pixel(number, H, W);
      std::array<float, 3> sums{};
      for (int place = 0; place < 9; ++place) {
        const int down = place / 3 - 1;
        const int right = place % 3 - 1;
        if (place == 4 || !repeats(h, down, H) || !repeats(w, right, W)) continue;
        for (std::int64_t tap = 0; tap < 9; ++tap) {
          const std::int64_t row = h + down + 1 - tap / 3;
          const std::int64_t column = w + right + 1 - tap % 3;
          if (row < 0 || row >= H || column < 0 || column >= W) continue;
          const T* grad = grad_y + ((n * H + row) * W + column) * K;
          for (std::int64_t k = 0; k < K; ++k) {
            const auto value = static_cast<float>(grad[k]);
            for (std::size_t c = 0; c < 3; ++c) {
              sums.at(c) += weight[27 * k + 3 * tap + static_cast<std::int64_t>(c)] * value;
            }
          }
        }
      }
      float* to = grad_pixels + ((n * H + h) * W + w) * 3;
      for (std::size_t c = 0; c < 3; ++c) to[c] += sums.at(c);
    }
  }
}

#define IMPASTO_REPLICATE_BORDER(T)                                                          \
  template void replicate_border_forward(T*, const float*, const float*, const float*,       \
                                         const std::array<float, 3>&, const MapSize&, bool); \
  template void replicate_border_backward(float*, const T*, const float*, const MapSize&);
IMPASTO_REPLICATE_BORDER(float)
IMPASTO_REPLICATE_BORDER(bfloat16)
#undef IMPASTO_REPLICATE_BORDER

}  // namespace impasto::kernels::cpu
