// SPDX-License-Identifier: MIT
#include "kernels/colour_map/colour_map.hpp"

namespace impasto::kernels::reference {

void colour_map(double* y, const double* x, const ColourMatrix& matrix, bool accumulate,
                std::int64_t pixels) {
  for (std::int64_t i = 0; i < 3 * pixels; ++i) {
    const double* pixel = x + i / 3 * 3;
    double sum = accumulate ? y[i] : 0;
    for (std::int64_t c = 0; c < 3; ++c) {
      sum += static_cast<double>(matrix.values[static_cast<std::size_t>(i % 3 * 3 + c)]) * pixel[c];
    }
    y[i] = sum;
  }
}

}  // namespace impasto::kernels::reference
