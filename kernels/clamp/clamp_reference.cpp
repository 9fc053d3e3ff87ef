// SPDX-License-Identifier: MIT
#include "kernels/clamp/clamp.hpp"

namespace impasto::kernels::reference {

void clamp(double* y, const double* x, double lowest, double highest, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = clamped(x[i], lowest, highest);
}

}  // namespace impasto::kernels::reference
