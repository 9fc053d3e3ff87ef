// SPDX-License-Identifier: MIT
#include <algorithm>
#include <omp.h>

#include "kernels/gram/gram.hpp"

namespace impasto::kernels::cpu {
namespace {

std::int64_t chunks_of(std::int64_t pixels) {
  const std::int64_t chunk = gram_chunk_pixels(pixels);
  return (pixels + chunk - 1) / chunk;
}

/// Adds up a 16×16 tile of all chunks' sums, and writes it and its mirror image, which is the same
/// tile on the diagonal.
void add_tile(float* tile, float* mirrored, const float* sums, std::int64_t C,
              std::int64_t chunks) {
  float row_by_row[16][16];
  for (std::int64_t i = 0; i < 16; ++i) {
    double sum[16] = {};
    for (std::int64_t k = 0; k < chunks; ++k) {
      const float* row = sums + (k * C + i) * C;
      for (std::int64_t j = 0; j < 16; ++j) sum[j] += static_cast<double>(row[j]);
    }
    for (std::int64_t j = 0; j < 16; ++j) row_by_row[i][j] = static_cast<float>(sum[j]);
  }
  for (std::int64_t i = 0; i < 16; ++i) {
    for (std::int64_t j = 0; j < 16; ++j) {
      if (tile == mirrored && j < i) continue;
      tile[i * C + j] = row_by_row[i][j];
      mirrored[j * C + i] = row_by_row[i][j];
    }
  }
}

}  // namespace

std::int64_t gram_workspace(const MapSize& size, int threads) {
  return chunks_of(size.pixels()) * size.channels * size.channels +
         threads * gram_packed_pixels * size.channels;
}

void gram(float* gram, const float* features, const MapSize& size, Simd simd, float* workspace,
          int threads) {
  const std::int64_t C = size.channels;
  const std::int64_t panels = C / gram_panel_channels;
  const std::int64_t chunk = gram_chunk_pixels(size.pixels());
  const std::int64_t chunks = chunks_of(size.pixels());
  float* packed = workspace + chunks * C * C;
  for (std::int64_t n = 0; n < size.batch; ++n) {
    const float* image = features + n * size.per_image();
    // The panel with the most blocks first, or all would wait for it at the end.
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (std::int64_t task = 0; task < panels * chunks; ++task) {
      const std::int64_t k = task % chunks;
      const GramPanel problem{workspace + k * C * C,
                              image + k * chunk * C,
                              std::min(chunk, size.pixels() - k * chunk),
                              C,
                              panels - 1 - task / chunks,
                              packed + omp_get_thread_num() * gram_packed_pixels * C};
      simd == Simd::avx512 ? avx512::gram_panel(problem) : avx2::gram_panel(problem);
    }
    float* out = gram + n * C * C;
    constexpr std::int64_t tile = 16;
    const std::int64_t tiles = C / tile;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (std::int64_t i = 0; i < tiles; ++i) {
      for (std::int64_t j = i; j < tiles; ++j) {
        add_tile(out + (i * C + j) * tile, out + (j * C + i) * tile, workspace + (i * C + j) * tile,
                 C, chunks);
      }
    }
  }
}

}  // namespace impasto::kernels::cpu
