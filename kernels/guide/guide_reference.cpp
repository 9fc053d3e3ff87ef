// SPDX-License-Identifier: MIT
#include "kernels/guide/guide.hpp"

namespace impasto::kernels::reference {

void guide_forward(double* y, const double* x, const double* guide, const MapSize& size) {
  for (std::int64_t i = 0; i < size.count(); ++i) {
    y[i] = guide[i / size.channels % size.pixels()] * x[i];
  }
}

void guide_backward(double* grad_x, const double* grad_y, const double* x, const double* guide,
                    const MapSize& size, const GradientEpilogue& epilogue) {
  for (std::int64_t i = 0; i < size.count(); ++i) {
    grad_x[i] = (epilogue.accumulate ? grad_x[i] : 0) +
                guide[i / size.channels % size.pixels()] * grad_y[i];
    if (epilogue.relu_mask && !(x[i] > 0)) grad_x[i] = 0;
  }
}

}  // namespace impasto::kernels::reference
