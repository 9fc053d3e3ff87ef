// SPDX-License-Identifier: MIT
#include <memory>
#include <omp.h>

#include "kernels/common/parallel.hpp"
#include "kernels/first_conv/first_conv.hpp"
#include "kernels/style_first_conv/style_first_conv.hpp"

namespace impasto::kernels::cpu {
// A thread has neighbouring rows of an image, and keeps three of g in its own cache. The rows beside
// its own are computed by two threads.
void style_first_conv_backward(float* grad_pixels, const float* grad, const float* features,
                               const float* matrix, const float* weight, const MapSize& size,
                               const GradientEpilogue& epilogue, Simd simd) {
  const std::vector<SimdLine> by_tap = first_conv_filters_by_tap(weight, size.channels);
  const std::int64_t line = size.width * size.channels;
  const std::int64_t rows = size.batch * size.height;
  const int most_threads = size.count() >= min_parallel ? omp_get_max_threads() : 1;
  // Allocated here: no exception may leave a parallel region.
  const std::int64_t lines = 3 * line / SimdLine::count;  // a thread's
  const auto held =
      std::make_unique_for_overwrite<SimdLine[]>(static_cast<std::size_t>(most_threads * lines));
#pragma omp parallel num_threads(most_threads)
  {
    const std::int64_t threads = omp_get_num_threads();
    const std::int64_t thread = omp_get_thread_num();
    float* own = held[static_cast<std::size_t>(thread * lines)].values;
    const auto held_row = [&](std::int64_t row) { return own + row % 3 * line; };
    std::int64_t computed = -1;  // the last row that is held
    const auto hold = [&](std::int64_t row) {
      if (row <= computed) return;
      const StyleGradient problem{held_row(row),
                                  grad + row * line,
                                  features + row * line,
                                  matrix + row / size.height * size.channels * size.channels,
                                  size.width,
                                  size.channels,
                                  epilogue};
      simd == Simd::avx512 ? avx512::style_gradient(problem) : avx2::style_gradient(problem);
      computed = row;
    };
    const std::int64_t last = rows * (thread + 1) / threads;
    for (std::int64_t row = rows * thread / threads; row < last; ++row) {
      const std::int64_t h = row % size.height;
      const bool above = h > 0;
      const bool below = h + 1 < size.height;
      if (above) hold(row - 1);
      hold(row);
      if (below) hold(row + 1);
      first_conv_backward<float>({grad_pixels + row * size.width * 3,
                                  {below ? held_row(row + 1) : nullptr, held_row(row),
                                   above ? held_row(row - 1) : nullptr},
                                  by_tap.front().values,
                                  size.width,
                                  size.channels},
                                 simd);
    }
  }
}

}  // namespace impasto::kernels::cpu
