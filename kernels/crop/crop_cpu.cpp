// SPDX-License-Identifier: MIT
#include <algorithm>

#include "kernels/common/epilogue.hpp"
#include "kernels/common/parallel.hpp"
#include "kernels/crop/crop.hpp"

namespace impasto::kernels::cpu {
namespace {

/// Joins nothing to the values [first, last) of a row.
template <class Epilogue, class T>
void join_nothing(T* grad_x, const T* x, std::int64_t first, std::int64_t last) {
  for (std::int64_t i = first; i < last; ++i) Epilogue::join(grad_x + i, 0.0F, x + i);
}

template <class Epilogue, class T>
void join_rectangle(T* grad_x, const T* grad_y, const T* x, const MapSize& y_size,
                    const MapSize& x_size, const Corner& corner) {
  constexpr bool changes_rest = !Epilogue::reads_grad || Epilogue::reads_feature;
  const std::int64_t whole = x_size.width * x_size.channels;
  const std::int64_t part = y_size.width * y_size.channels;
  const std::int64_t begin = corner.left * x_size.channels;
#pragma omp parallel for schedule(static) if (parallel : x_size.count() >= min_parallel)
  for (std::int64_t row = 0; row < x_size.batch * x_size.height; ++row) {
    const std::int64_t h = row % x_size.height - corner.top;
    T* to = grad_x + row * whole;
    const T* features = x + row * whole;
    if (h < 0 || h >= y_size.height) {
      if constexpr (changes_rest) join_nothing<Epilogue>(to, features, 0, whole);
      continue;
    }
    const T* from = grad_y + (row / x_size.height * y_size.height + h) * part - begin;
    if constexpr (changes_rest) join_nothing<Epilogue>(to, features, 0, begin);
#pragma omp simd
    for (std::int64_t i = begin; i < begin + part; ++i) {
      Epilogue::join(to + i, static_cast<float>(from[i]), features + i);
    }
    if constexpr (changes_rest) join_nothing<Epilogue>(to, features, begin + part, whole);
  }
}

}  // namespace

template <class T>
void crop_forward(T* y, const T* x, const MapSize& y_size, const MapSize& x_size,
                  const Corner& corner) {
  const std::int64_t part = y_size.width * y_size.channels;
#pragma omp parallel for schedule(static) if (parallel : y_size.count() >= min_parallel)
  for (std::int64_t row = 0; row < y_size.batch * y_size.height; ++row) {
    const std::int64_t h = row / y_size.height * x_size.height + corner.top + row % y_size.height;
    std::copy_n(x + (h * x_size.width + corner.left) * x_size.channels, part, y + row * part);
  }
}

template <class T>
void crop_backward(T* grad_x, const T* grad_y, const T* x, const MapSize& y_size,
                   const MapSize& x_size, const Corner& corner, const GradientEpilogue& epilogue) {
  with_epilogue(epilogue, [&]<class Epilogue>(Epilogue) {
    join_rectangle<Epilogue>(grad_x, grad_y, x, y_size, x_size, corner);
  });
}

#define IMPASTO_CROP(T)                                                                    \
  template void crop_forward(T*, const T*, const MapSize&, const MapSize&, const Corner&); \
  template void crop_backward(T*, const T*, const T*, const MapSize&, const MapSize&,      \
                              const Corner&, const GradientEpilogue&);
IMPASTO_CROP(float)
IMPASTO_CROP(bfloat16)
#undef IMPASTO_CROP

}  // namespace impasto::kernels::cpu
