// SPDX-License-Identifier: MIT
#include <algorithm>

#include "kernels/common/parallel.hpp"
#include "kernels/upsample/upsample.hpp"

namespace impasto::kernels::cpu {
namespace {

/// The entry of U along one axis from value `j` of `count` coarse ones to the fine value `i`.
float entry(std::int64_t i, std::int64_t j, std::int64_t count) {
  const Neighbours neighbours = coarse_neighbours(i, count);
  return (neighbours.near == j ? 0.75F : 0.0F) + (neighbours.other == j ? 0.25F : 0.0F);
}

}  // namespace

void upsample_add(float* y, const float* x, const MapSize& size) {
  const MapSize coarse = halved(size);
  const std::int64_t C = size.channels;
  const std::int64_t coarse_row = coarse.width * C;
#pragma omp parallel for schedule(static) if (parallel : size.count() >= min_parallel)
  for (std::int64_t row = 0; row < size.batch * size.height; ++row) {
    const float* image = x + row / size.height * coarse.per_image();
    const Neighbours rows = coarse_neighbours(row % size.height, coarse.height);
    const float* near = image + rows.near * coarse_row;
    const float* other = image + rows.other * coarse_row;
    float* to = y + row * size.width * C;
    for (std::int64_t w = 0; w < size.width; ++w, to += C) {
      const Neighbours columns = coarse_neighbours(w, coarse.width);
      const std::int64_t a = columns.near * C;
      const std::int64_t b = columns.other * C;
      for (std::int64_t c = 0; c < C; ++c) {
        to[c] += 0.75F * (0.75F * near[a + c] + 0.25F * near[b + c]) +
                 0.25F * (0.75F * other[a + c] + 0.25F * other[b + c]);
      }
    }
  }
}

void upsample_transpose(float* x, const float* y, const MapSize& size) {
  const MapSize coarse = halved(size);
  const std::int64_t C = size.channels;
#pragma omp parallel for schedule(static) if (parallel : size.count() >= min_parallel)
  for (std::int64_t row = 0; row < coarse.batch * coarse.height; ++row) {
    const float* image = y + row / coarse.height * size.per_image();
    const std::int64_t i = row % coarse.height;
    float* to = x + row * coarse.width * C;
    for (std::int64_t j = 0; j < coarse.width; ++j, to += C) {
      std::fill_n(to, C, 0.0F);
      for (std::int64_t h = std::max<std::int64_t>(0, 2 * i - 1);
           h < std::min(size.height, 2 * i + 3); ++h) {
        for (std::int64_t w = std::max<std::int64_t>(0, 2 * j - 1);
             w < std::min(size.width, 2 * j + 3); ++w) {
          const float weight = entry(h, i, coarse.height) * entry(w, j, coarse.width);
          const float* from = image + (h * size.width + w) * C;
          for (std::int64_t c = 0; c < C; ++c) to[c] += weight * from[c];
        }
      }
    }
  }
}

}  // namespace impasto::kernels::cpu
