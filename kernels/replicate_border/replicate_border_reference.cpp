// SPDX-License-Identifier: MIT
#include <algorithm>

#include "kernels/replicate_border/replicate_border.hpp"

namespace impasto::kernels::reference {

void replicate_border_forward(double* y, const double* pixels, const double* weight,
                              const double* bias, const std::array<double, 3>& mean,
                              const MapSize& y_size, bool relu) {
  const std::int64_t H = y_size.height, W = y_size.width, K = y_size.channels;
  for (std::int64_t n = 0; n < y_size.batch; ++n) {
    for (std::int64_t h = 0; h < H; ++h) {
      for (std::int64_t w = 0; w < W; ++w) {
        if (h > 0 && h < H - 1 && w > 0 && w < W - 1) continue;
        for (std::int64_t k = 0; k < K; ++k) {
          double sum = bias[k];
          for (std::int64_t r = 0; r < 3; ++r) {
            for (std::int64_t s = 0; s < 3; ++s) {
              const std::int64_t row = std::clamp<std::int64_t>(h + r - 1, 0, H - 1);
              const std::int64_t column = std::clamp<std::int64_t>(w + s - 1, 0, W - 1);
              const double* pixel = pixels + ((n * H + row) * W + column) * 3;
              for (std::int64_t c = 0; c < 3; ++c) {
                sum += weight[((k * 3 + r) * 3 + s) * 3 + c] *
                       (pixel[c] - mean[static_cast<std::size_t>(c)]);
              }
            }
          }
          y[((n * H + h) * W + w) * K + k] = relu && sum < 0 ? 0 : sum;
        }
      }
    }
  }
}

void replicate_border_backward(double* grad_pixels, const double* grad_y, const double* weight,
                               const MapSize& y_size) {
  const std::int64_t H = y_size.height, W = y_size.width, K = y_size.channels;
  for (std::int64_t n = 0; n < y_size.batch; ++n) {
    for (std::int64_t h = 0; h < H; ++h) {
      for (std::int64_t w = 0; w < W; ++w) {
        for (std::int64_t r = 0; r < 3; ++r) {
          for (std::int64_t s = 0; s < 3; ++s) {
            const std::int64_t row = std::clamp<std::int64_t>(h + r - 1, 0, H - 1);
            const std::int64_t column = std::clamp<std::int64_t>(w + s - 1, 0, W - 1);
            if (row == h + r - 1 && column == w + s - 1) continue;
            for (std::int64_t k = 0; k < K; ++k) {
              const double grad = grad_y[((n * H + h) * W + w) * K + k];
              for (std::int64_t c = 0; c < 3; ++c) {
                grad_pixels[((n * H + row) * W + column) * 3 + c] +=
                    weight[((k * 3 + r) * 3 + s) * 3 + c] * grad;
              }
            }
          }
        }
      }
    }
  }
}

}  // namespace impasto::kernels::reference
