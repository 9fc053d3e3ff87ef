// SPDX-License-Identifier: MIT
#include "host/backend/ops.hpp"

namespace impasto {

void rotate_filters(float* rotated, const float* weight, std::int64_t out_channels,
                    std::int64_t in_channels) {
#pragma omp parallel for schedule(static)
  for (std::int64_t c = 0; c < in_channels; ++c) {
    for (std::int64_t tap = 0; tap < 9; ++tap) {
      for (std::int64_t k = 0; k < out_channels; ++k) {
        rotated[(c * 9 + tap) * out_channels + k] = weight[(k * 9 + 8 - tap) * in_channels + c];
      }
    }
  }
}

void Ops::pool_forward_noting(const Tensor& y, const Tensor& /*positive*/, const Tensor& x,
                              const PoolKind& kind) {
  pool_forward(y, x, kind);
}

void Ops::pool_backward_noted(const Tensor& grad_x, const Tensor& grad_y,
                              const Tensor& /*positive*/, const Tensor& x, const PoolKind& kind) {
  pool_backward(grad_x, grad_y, x, kind, {false, true});
}

void Ops::style_first_conv_backward(const Tensor& grad_pixels, const Tensor& grad,
                                    const Tensor& features, const Tensor& matrix, Conv& conv,
                                    const GradientEpilogue& epilogue) {
  style_backward(grad, features, matrix, epilogue);
  first_conv_backward(grad_pixels, grad, conv);
}

void Ops::first_conv_gram_loss(const Tensor& y, const Tensor& loss, const Tensor& matrix,
                               const Tensor& pixels, Conv& conv, const std::array<float, 3>& mean,
                               const Tensor& target, const StyleLossScale& scale) {
  first_conv_forward(y, pixels, conv, mean, true);
  gram_loss(loss, matrix, y, target, scale);
}

void Ops::gram_loss(const Tensor& loss, const Tensor& matrix, const Tensor& features,
                    const Tensor& target, const StyleLossScale& scale) {
  gram(matrix, features);
  style_loss(loss, matrix, matrix, target, scale);
}

}  // namespace impasto
