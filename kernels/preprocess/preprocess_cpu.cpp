// SPDX-License-Identifier: MIT
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/parallel.hpp"
#include "kernels/preprocess/preprocess.hpp"

namespace impasto::kernels::cpu {

template <class T>
void preprocess(T* y, const float* pixels, const std::array<float, 3>& mean,
                std::int64_t pixel_count) {
  const float red = mean[0], green = mean[1], blue = mean[2];
#pragma omp parallel for simd schedule(static) if (parallel : pixel_count >= min_parallel)
  for (std::int64_t i = 0; i < pixel_count; ++i) {
    store(y + 3 * i, pixels[3 * i] - red);
    store(y + 3 * i + 1, pixels[3 * i + 1] - green);
    store(y + 3 * i + 2, pixels[3 * i + 2] - blue);
  }
}

template void preprocess(float*, const float*, const std::array<float, 3>&, std::int64_t);
template void preprocess(bfloat16*, const float*, const std::array<float, 3>&, std::int64_t);

}  // namespace impasto::kernels::cpu
