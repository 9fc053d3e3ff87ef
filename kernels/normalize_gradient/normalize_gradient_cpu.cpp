// SPDX-License-Identifier: MIT
#include <cmath>

#include "kernels/common/epilogue.hpp"
#include "kernels/common/parallel.hpp"
#include "kernels/normalize_gradient/normalize_gradient.hpp"

namespace impasto::kernels::cpu {

template <class T>
void normalize_gradient(T* grad_x, const T* g, const T* x, const MapSize& size,
                        const GradientNorm& to, const GradientEpilogue& epilogue) {
  const std::int64_t count = size.per_image();
  for (std::int64_t n = 0; n < size.batch; ++n) {
    const T* from = g + n * count;
    const double norm = ordered_sum(count, [from](std::int64_t begin, std::int64_t end) {
      double sum = 0;
#pragma omp simd reduction(+ : sum)
      for (std::int64_t i = begin; i < end; ++i) {
        sum += static_cast<double>(std::abs(static_cast<float>(from[i])));
      }
      return sum;
    });
    const auto factor = static_cast<float>(to.norm / (norm + to.least));
    T* const own = grad_x + n * count;
    const T* const features = x + n * count;
    with_epilogue(epilogue, [&]<class Epilogue>(Epilogue) {
#pragma omp parallel for simd schedule(static) if (parallel : count >= min_parallel)
      for (std::int64_t i = 0; i < count; ++i) {
        Epilogue::join(own + i, factor * static_cast<float>(from[i]), features + i);
      }
    });
  }
}

#define IMPASTO_NORMALIZE_GRADIENT(T)                                                           \
  template void normalize_gradient(T*, const T*, const T*, const MapSize&, const GradientNorm&, \
                                   const GradientEpilogue&);
IMPASTO_NORMALIZE_GRADIENT(float)
IMPASTO_NORMALIZE_GRADIENT(bfloat16)
#undef IMPASTO_NORMALIZE_GRADIENT

}  // namespace impasto::kernels::cpu
