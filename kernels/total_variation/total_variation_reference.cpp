// SPDX-License-Identifier: MIT
#include "kernels/total_variation/total_variation.hpp"

namespace impasto::kernels::reference {

void total_variation(double* loss, double* grad_pixels, const double* pixels, const MapSize& size,
                     const VariationScale& scale) {
  const auto [N, H, W, C] = size;
  for (std::int64_t n = 0; n < N; ++n) {
    double sum = 0;
    for (std::int64_t h = 0; h < H; ++h) {
      for (std::int64_t w = 0; w < W; ++w) {
        for (std::int64_t c = 0; c < C; ++c) {
          const std::int64_t here = ((n * H + h) * W + w) * C + c;
          const std::int64_t row = W * C;
          const double above = h > 0 ? pixels[here] - pixels[here - row] : 0;
          const double below = h < H - 1 ? pixels[here] - pixels[here + row] : 0;
          const double left = w > 0 ? pixels[here] - pixels[here - C] : 0;
          const double right = w < W - 1 ? pixels[here] - pixels[here + C] : 0;
          sum += below * below + right * right;
          if (grad_pixels != nullptr) {
            grad_pixels[here] += scale.gradient * (above + below + left + right);
          }
        }
      }
    }
    loss[n] = scale.loss * sum;
  }
}

}  // namespace impasto::kernels::reference
