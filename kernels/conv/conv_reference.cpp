// SPDX-License-Identifier: MIT
#include "kernels/conv/conv.hpp"

namespace impasto::kernels::reference {
namespace {

bool inside(const ConvSize& size, std::int64_t h, std::int64_t w) {
  return h >= 0 && h < size.height && w >= 0 && w < size.width;
}

}  // namespace

void conv_forward(double* y, const double* x, const double* weight, const double* bias,
                  const ConvSize& size, bool relu) {
  const std::int64_t N = size.batch, H = size.height, W = size.width;
  const std::int64_t C = size.in_channels, K = size.out_channels;
#pragma omp parallel for collapse(3) schedule(static)
  for (std::int64_t n = 0; n < N; ++n) {
    for (std::int64_t h = 0; h < H; ++h) {
      for (std::int64_t w = 0; w < W; ++w) {
        for (std::int64_t k = 0; k < K; ++k) {
          double sum = bias[k];
          for (std::int64_t r = 0; r < 3; ++r) {
            for (std::int64_t s = 0; s < 3; ++s) {
              if (!inside(size, h + r - 1, w + s - 1)) continue;
              const double* x_pixel = x + ((n * H + h + r - 1) * W + w + s - 1) * C;
              const double* weight_tap = weight + ((k * 3 + r) * 3 + s) * C;
#pragma omp simd reduction(+ : sum)
              for (std::int64_t c = 0; c < C; ++c) sum += weight_tap[c] * x_pixel[c];
            }
          }
          y[((n * H + h) * W + w) * K + k] = relu && sum < 0 ? 0 : sum;
        }
      }
    }
  }
}

void conv_data_gradient(double* grad_x, const double* grad_y, const double* weight, const double* x,
                        const ConvSize& size, const GradientEpilogue& epilogue) {
  const std::int64_t N = size.batch, H = size.height, W = size.width;
  const std::int64_t C = size.in_channels, K = size.out_channels;
#pragma omp parallel for collapse(3) schedule(static)
  for (std::int64_t n = 0; n < N; ++n) {
    for (std::int64_t h = 0; h < H; ++h) {
      for (std::int64_t w = 0; w < W; ++w) {
        const std::int64_t pixel = ((n * H + h) * W + w) * C;
        if (!epilogue.accumulate) {
          for (std::int64_t c = 0; c < C; ++c) grad_x[pixel + c] = 0;
        }
        for (std::int64_t r = 0; r < 3; ++r) {
          for (std::int64_t s = 0; s < 3; ++s) {
            if (!inside(size, h + 1 - r, w + 1 - s)) continue;
            const double* grad_pixel = grad_y + ((n * H + h + 1 - r) * W + w + 1 - s) * K;
            for (std::int64_t k = 0; k < K; ++k) {
              const double* weight_tap = weight + ((k * 3 + r) * 3 + s) * C;
#pragma omp simd
              for (std::int64_t c = 0; c < C; ++c) {
                grad_x[pixel + c] += weight_tap[c] * grad_pixel[k];
              }
            }
          }
        }
        if (epilogue.relu_mask) {
          for (std::int64_t c = 0; c < C; ++c) {
            if (!(x[pixel + c] > 0)) grad_x[pixel + c] = 0;
          }
        }
      }
    }
  }
}

}  // namespace impasto::kernels::reference
