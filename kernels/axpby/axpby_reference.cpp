// SPDX-License-Identifier: MIT
#include "kernels/axpby/axpby.hpp"

namespace impasto::kernels::reference {

void axpby(double* y, double a, const double* x, double b, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = b == 0 ? a * x[i] : a * x[i] + b * y[i];
}

}  // namespace impasto::kernels::reference
