// SPDX-License-Identifier: MIT
// A panel of a Gram matrix's upper triangle: 64 columns, down to the diagonal.
//
// Some pixels' features are first packed by panels, so that what a product reads lies together: rows
// of 256 or 512 channels are a power of two apart and would meet in a few sets of the cache.
#include "kernels/common/simd_vector.hpp"
#include "kernels/gram/gram.hpp"

namespace impasto::kernels::cpu::IMPASTO_SIMD {
namespace {

constexpr std::int64_t panel = gram_panel_channels;
constexpr std::int64_t most_vectors = lanes == 16 ? 4 : 2;  // 24 sums in 32 registers, or 12 in 16
constexpr std::int64_t most_rows = 6;

/// `sum` (rows × vectors·lanes, in lines of C) += leftᵀ·right over some packed pixels.
template <std::int64_t rows, std::int64_t vectors>
void multiply(float* sum, std::int64_t channels, const float* left, const float* right,
              std::int64_t pixels) {
  Vector sums[static_cast<std::size_t>(rows)][static_cast<std::size_t>(vectors)];
#pragma GCC unroll 8
  for (std::int64_t i = 0; i < rows; ++i) {
#pragma GCC unroll 8
    for (std::int64_t n = 0; n < vectors; ++n) sums[i][n] = load(sum + i * channels + n * lanes);
  }
#pragma GCC unroll 4
  for (std::int64_t p = 0; p < pixels; ++p, left += panel, right += panel) {
    Vector column[static_cast<std::size_t>(vectors)];
#pragma GCC unroll 8
    for (std::int64_t n = 0; n < vectors; ++n) column[n] = load(right + n * lanes);
#pragma GCC unroll 8
    for (std::int64_t i = 0; i < rows; ++i) {
#pragma GCC unroll 8
      for (std::int64_t n = 0; n < vectors; ++n) sums[i][n] += left[i] * column[n];
    }
  }
#pragma GCC unroll 8
  for (std::int64_t i = 0; i < rows; ++i) {
#pragma GCC unroll 8
    for (std::int64_t n = 0; n < vectors; ++n) store(sum + i * channels + n * lanes, sums[i][n]);
  }
}

template <std::int64_t rows>
void multiply(float* sum, std::int64_t channels, const float* left, const float* right,
              std::int64_t pixels, std::int64_t vectors) {
  switch (vectors) {
    case 1: return multiply<rows, 1>(sum, channels, left, right, pixels);
    case 2: return multiply<rows, 2>(sum, channels, left, right, pixels);
    case 3: return multiply<rows, 3>(sum, channels, left, right, pixels);
    default: return multiply<rows, 4>(sum, channels, left, right, pixels);
  }
}

/// 64 rows of the panel; of a block on the diagonal only vectors that reach the upper triangle.
void multiply_block(float* sum, std::int64_t channels, const float* left, const float* right,
                    std::int64_t pixels, bool on_diagonal) {
  for (std::int64_t i = 0; i < panel; i += most_rows) {
    std::int64_t j = on_diagonal ? i / lanes * lanes : 0;
    while (j < panel) {
      const std::int64_t vectors = (panel - j) / lanes;
      const std::int64_t taken = vectors < most_vectors ? vectors : most_vectors;
      float* to = sum + i * channels + j;
      if (i + most_rows <= panel) {
        multiply<most_rows>(to, channels, left + i, right + j, pixels, taken);
      } else {
        multiply<panel % most_rows>(to, channels, left + i, right + j, pixels, taken);
      }
      j += taken * lanes;
    }
  }
}

}  // namespace

void gram_panel(const GramPanel& problem) {
  constexpr std::int64_t most_pixels = gram_packed_pixels;
  const std::int64_t channels = problem.channels;
  const std::int64_t panels = problem.index + 1;
  for (std::int64_t i = 0; i < panels * panel; ++i) {
    for (std::int64_t j = 0; j < panel; j += lanes) {
      store(problem.sum + i * channels + problem.index * panel + j, Vector{});
    }
  }
  for (std::int64_t first = 0; first < problem.pixels; first += most_pixels) {
    const std::int64_t rest = problem.pixels - first;
    const std::int64_t pixels = rest < most_pixels ? rest : most_pixels;
    for (std::int64_t block = 0; block < panels; ++block) {
      const float* from = problem.features + first * channels + block * panel;
      float* to = problem.packed + block * most_pixels * panel;
      for (std::int64_t p = 0; p < pixels; ++p) {
        for (std::int64_t j = 0; j < panel; j += lanes) {
          store(to + p * panel + j, load(from + p * channels + j));
        }
      }
    }
    const float* right = problem.packed + problem.index * most_pixels * panel;
    for (std::int64_t block = 0; block < panels; ++block) {
      multiply_block(problem.sum + block * panel * channels + problem.index * panel, channels,
                     problem.packed + block * most_pixels * panel, right, pixels,
                     block == problem.index);
    }
  }
}

}  // namespace impasto::kernels::cpu::IMPASTO_SIMD
