// SPDX-License-Identifier: MIT
#include "kernels/first_conv/first_conv.hpp"
#include "kernels/first_conv_gram_loss/first_conv_gram_loss.hpp"
#include "kernels/gram_loss/gram_loss.hpp"

namespace impasto::kernels::reference {

void first_conv_gram_loss(double* y, double* loss, double* matrix, const double* pixels,
                          const double* weight, const double* bias,
                          const std::array<double, 3>& mean, const double* target,
                          const MapSize& y_size, const StyleLossScale& scale) {
  first_conv_forward(y, pixels, weight, bias, mean, y_size, true);
  gram_loss(loss, matrix, y, target, y_size, scale);
}

}  // namespace impasto::kernels::reference
