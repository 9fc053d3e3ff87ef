// SPDX-License-Identifier: MIT
#include <vector>

#include "kernels/conv/conv.hpp"
#include "kernels/first_conv/first_conv.hpp"
#include "kernels/preprocess/preprocess.hpp"

namespace impasto::kernels::reference {
namespace {

ConvSize conv_size(const MapSize& y_size) {
  return {y_size.batch, y_size.height, y_size.width, 3, y_size.channels};
}

}  // namespace

void first_conv_forward(double* y, const double* pixels, const double* weight, const double* bias,
                        const std::array<double, 3>& mean, const MapSize& y_size, bool relu) {
  const std::int64_t pixel_count = y_size.batch * y_size.pixels();
  std::vector<double> x(static_cast<std::size_t>(3 * pixel_count));
  preprocess(x.data(), pixels, mean, pixel_count);
  conv_forward(y, x.data(), weight, bias, conv_size(y_size), relu);
}

void first_conv_backward(double* grad_pixels, const double* grad_y, const double* weight,
                         const MapSize& y_size) {
  conv_data_gradient(grad_pixels, grad_y, weight, nullptr, conv_size(y_size), {});
}

}  // namespace impasto::kernels::reference
