// SPDX-License-Identifier: MIT
#include "kernels/style_backward/style_backward.hpp"

namespace impasto::kernels::reference {

void style_backward(double* grad, const double* features, const double* matrix, const MapSize& size,
                    const GradientEpilogue& epilogue) {
  const std::int64_t C = size.channels;
  const std::int64_t P = size.pixels();
#pragma omp parallel for collapse(2) schedule(static)
  for (std::int64_t n = 0; n < size.batch; ++n) {
    for (std::int64_t p = 0; p < P; ++p) {
      const double* feature = features + (n * P + p) * C;
      double* grad_pixel = grad + (n * P + p) * C;
      if (!epilogue.accumulate) {
        for (std::int64_t j = 0; j < C; ++j) grad_pixel[j] = 0;
      }
      for (std::int64_t i = 0; i < C; ++i) {
        const double* matrix_row = matrix + (n * C + i) * C;
#pragma omp simd
        for (std::int64_t j = 0; j < C; ++j) grad_pixel[j] += feature[i] * matrix_row[j];
      }
      if (epilogue.relu_mask) {
        for (std::int64_t j = 0; j < C; ++j) {
          if (!(feature[j] > 0)) grad_pixel[j] = 0;
        }
      }
    }
  }
}

}  // namespace impasto::kernels::reference
