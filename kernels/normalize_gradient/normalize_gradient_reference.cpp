// SPDX-License-Identifier: MIT
#include <cmath>

#include "kernels/normalize_gradient/normalize_gradient.hpp"

namespace impasto::kernels::reference {

void normalize_gradient(double* grad_x, const double* g, const double* x, const MapSize& size,
                        const GradientNorm& to, const GradientEpilogue& epilogue) {
  for (std::int64_t n = 0; n < size.batch; ++n) {
    const std::int64_t begin = n * size.per_image();
    const std::int64_t end = begin + size.per_image();
    double norm = 0;
    for (std::int64_t i = begin; i < end; ++i) norm += std::abs(g[i]);
    for (std::int64_t i = begin; i < end; ++i) {
      grad_x[i] = (epilogue.accumulate ? grad_x[i] : 0) + to.norm * g[i] / (norm + to.least);
      if (epilogue.relu_mask && !(x[i] > 0)) grad_x[i] = 0;
    }
  }
}

}  // namespace impasto::kernels::reference
