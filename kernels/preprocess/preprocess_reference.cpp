// SPDX-License-Identifier: MIT
#include "kernels/preprocess/preprocess.hpp"

namespace impasto::kernels::reference {

void preprocess(double* y, const double* pixels, const std::array<double, 3>& mean,
                std::int64_t pixel_count) {
  for (std::int64_t i = 0; i < pixel_count; ++i) {
    for (std::int64_t c = 0; c < 3; ++c) {
      y[3 * i + c] = pixels[3 * i + c] - mean[static_cast<std::size_t>(c)];
    }
  }
}

}  // namespace impasto::kernels::reference
