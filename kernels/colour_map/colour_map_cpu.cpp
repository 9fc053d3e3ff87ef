// SPDX-License-Identifier: MIT
#include "kernels/colour_map/colour_map.hpp"
#include "kernels/common/parallel.hpp"

namespace impasto::kernels::cpu {

void colour_map(float* y, const float* x, const ColourMatrix& matrix, bool accumulate,
                std::int64_t pixels) {
  const auto& m = matrix.values;
#pragma omp parallel for schedule(static) if (pixels >= min_parallel)
  for (std::int64_t p = 0; p < pixels; ++p) {
    const float* from = x + 3 * p;
    float* to = y + 3 * p;
    for (std::size_t i = 0; i < 3; ++i) {
      const float mapped = m[3 * i] * from[0] + m[3 * i + 1] * from[1] + m[3 * i + 2] * from[2];
      to[i] = accumulate ? to[i] + mapped : mapped;
    }
  }
}

}  // namespace impasto::kernels::cpu
