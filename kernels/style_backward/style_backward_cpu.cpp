// SPDX-License-Identifier: MIT
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/parallel.hpp"
#include "kernels/style_backward/style_backward.hpp"

namespace impasto::kernels::cpu {

template <class T>
void relu_mask(T* grad, const T* features, std::int64_t count) {
#pragma omp parallel for simd schedule(static) if (parallel : count >= min_parallel)
  for (std::int64_t i = 0; i < count; ++i) {
    grad[i] = static_cast<float>(features[i]) > 0 ? grad[i] : T{};
  }
}

template void relu_mask(float*, const float*, std::int64_t);
template void relu_mask(bfloat16*, const bfloat16*, std::int64_t);

}  // namespace impasto::kernels::cpu
