// SPDX-License-Identifier: MIT
#include "kernels/gram/gram.hpp"

namespace impasto::kernels::reference {

void gram(double* gram, const double* features, const MapSize& size) {
  const std::int64_t C = size.channels;
  const std::int64_t P = size.pixels();
#pragma omp parallel for collapse(2) schedule(static)
  for (std::int64_t n = 0; n < size.batch; ++n) {
    for (std::int64_t i = 0; i < C; ++i) {
      const double* map = features + n * P * C;
      double* row = gram + (n * C + i) * C;
      for (std::int64_t j = 0; j < C; ++j) row[j] = 0;
      for (std::int64_t p = 0; p < P; ++p) {
#pragma omp simd
        for (std::int64_t j = 0; j < C; ++j) row[j] += map[p * C + i] * map[p * C + j];
      }
    }
  }
}

}  // namespace impasto::kernels::reference
