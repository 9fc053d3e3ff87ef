// SPDX-License-Identifier: MIT
#include "kernels/clamp/clamp.hpp"
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/parallel.hpp"

namespace impasto::kernels::cpu {

template <class T>
void clamp(T* y, const T* x, double lowest, double highest, std::int64_t count) {
  const auto low = static_cast<float>(lowest);
  const auto high = static_cast<float>(highest);
#pragma omp parallel for simd schedule(static) if (parallel : count >= min_parallel)
  for (std::int64_t i = 0; i < count; ++i) {
    store(y + i, clamped(static_cast<float>(x[i]), low, high));
  }
}

template void clamp(float*, const float*, double, double, std::int64_t);
template void clamp(bfloat16*, const bfloat16*, double, double, std::int64_t);

}  // namespace impasto::kernels::cpu
