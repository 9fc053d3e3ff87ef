// SPDX-License-Identifier: MIT
#include "kernels/first_conv/first_conv.hpp"
#include "kernels/style_backward/style_backward.hpp"
#include "kernels/style_first_conv/style_first_conv.hpp"

namespace impasto::kernels::reference {

void style_first_conv_backward(double* grad_pixels, double* grad, const double* features,
                               const double* matrix, const double* weight, const MapSize& size,
                               const GradientEpilogue& epilogue) {
  style_backward(grad, features, matrix, size, epilogue);
  first_conv_backward(grad_pixels, grad, weight, size);
}

}  // namespace impasto::kernels::reference
