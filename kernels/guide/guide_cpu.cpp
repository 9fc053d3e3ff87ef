// SPDX-License-Identifier: MIT
#include "kernels/common/epilogue.hpp"
#include "kernels/common/parallel.hpp"
#include "kernels/guide/guide.hpp"

namespace impasto::kernels::cpu {
namespace {

/// Writes T_p · from_pc to `to`, joined as Epilogue says; `x` is read for its mask.
template <class Epilogue, class T>
void weigh_pixels(T* to, const T* from, const T* x, const float* guide, const MapSize& size) {
  const std::int64_t C = size.channels;
#pragma omp parallel for schedule(static) if (parallel : size.count() >= min_parallel)
  for (std::int64_t p = 0; p < size.batch * size.pixels(); ++p) {
    const float weight = guide[p % size.pixels()];
#pragma omp simd
    for (std::int64_t i = p * C; i < (p + 1) * C; ++i) {
      Epilogue::join(to + i, weight * static_cast<float>(from[i]), x + i);
    }
  }
}

}  // namespace

template <class T>
void guide_forward(T* y, const T* x, const float* guide, const MapSize& size) {
  weigh_pixels<FixedEpilogue<false, false>>(y, x, x, guide, size);
}

template <class T>
void guide_backward(T* grad_x, const T* grad_y, const T* x, const float* guide, const MapSize& size,
                    const GradientEpilogue& epilogue) {
  with_epilogue(epilogue, [&]<class Epilogue>(Epilogue) {
    weigh_pixels<Epilogue>(grad_x, grad_y, x, guide, size);
  });
}

#define IMPASTO_GUIDE(T)                                                             \
  template void guide_forward(T*, const T*, const float*, const MapSize&);           \
  template void guide_backward(T*, const T*, const T*, const float*, const MapSize&, \
                               const GradientEpilogue&);
IMPASTO_GUIDE(float)
IMPASTO_GUIDE(bfloat16)
#undef IMPASTO_GUIDE

}  // namespace impasto::kernels::cpu
