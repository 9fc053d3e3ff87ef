// SPDX-License-Identifier: MIT
#include "kernels/axpby/axpby.hpp"
#include "kernels/common/parallel.hpp"

namespace impasto::kernels::cpu {

void axpby(float* y, double a, const float* x, double b, std::int64_t count) {
  const auto times = [](double factor, float value) {
    return static_cast<float>(factor * static_cast<double>(value));
  };
#pragma omp parallel for simd schedule(static) if (parallel : count >= min_parallel)
  for (std::int64_t i = 0; i < count; ++i) {
    y[i] = b == 0 ? times(a, x[i]) : times(a, x[i]) + times(b, y[i]);
  }
}

}  // namespace impasto::kernels::cpu
