// SPDX-License-Identifier: MIT
// One block of a Winograd convolution.
#include <cstddef>
#include <cstdint>

#include "kernels/common/simd_vector.hpp"
#include "kernels/conv/winograd_block.hpp"

namespace impasto::kernels::cpu::IMPASTO_SIMD {
namespace {

// A product computes 6 tiles × panel_vectors in registers: 24 of 32, or 12 of 16.
constexpr std::int64_t panel_vectors = lanes == 16 ? 4 : 2;
constexpr std::int64_t panel = panel_vectors * lanes;
constexpr std::int64_t product_tiles = 6;
constexpr std::int64_t slice = winograd_channels;
constexpr std::int64_t slice_vectors = slice / lanes;
constexpr std::int64_t group = winograd_group;
constexpr std::int64_t group_vectors = group / lanes;

/// Bᵀ·d for one column: six values in, six out.
[[gnu::always_inline]] inline void input_transform(Vector (&out)[6], Vector d0, Vector d1,
                                                   Vector d2, Vector d3, Vector d4, Vector d5) {
  const Vector even = d4 - 4 * d2;
  const Vector odd = d3 - 4 * d1;
  const Vector even2 = d4 - d2;
  const Vector odd2 = 2 * (d3 - d1);
  out[0] = 4 * d0 + (d4 - 5 * d2);
  out[1] = even + odd;
  out[2] = even - odd;
  out[3] = even2 + odd2;
  out[4] = even2 - odd2;
  out[5] = 4 * d1 + (d5 - 5 * d3);
}

/// Aᵀ·m for one column: six values in, four out.
[[gnu::always_inline]] inline void output_transform(Vector (&out)[4], Vector m0, Vector m1,
                                                    Vector m2, Vector m3, Vector m4, Vector m5) {
  const Vector sum12 = m1 + m2;
  const Vector difference12 = m1 - m2;
  const Vector sum34 = m3 + m4;
  const Vector difference34 = m3 - m4;
  out[0] = m0 + sum12 + sum34;
  out[1] = difference12 + 2 * difference34;
  out[2] = sum12 + 4 * sum34;
  out[3] = difference12 + 8 * difference34 + m5;
}

/// G·g for one column: three values in, six out.
[[gnu::always_inline]] inline void filter_transform(Vector (&out)[6], Vector g0, Vector g1,
                                                    Vector g2) {
  const Vector sum02 = (g0 + g2) * (-1.0F / 6);
  const Vector sixth = g1 * (1.0F / 6);
  const Vector sum04 = (g0 + 4 * g2) * (1.0F / 24);
  const Vector twelfth = g1 * (1.0F / 12);
  out[0] = g0 * (1.0F / 4);
  out[1] = sum02 - sixth;
  out[2] = sum02 + sixth;
  out[3] = sum04 + twelfth;
  out[4] = sum04 - twelfth;
  out[5] = g2;
}

/// The corner of a 4×4 tile.
struct Tile {
  std::int64_t image;
  std::int64_t top;
  std::int64_t left;
};

Tile tile_at(std::int64_t index, const ConvSize& size) {
  const std::int64_t across = winograd_tiles(size.width);
  const std::int64_t per_image = winograd_tiles(size.height) * across;
  const std::int64_t within = index % per_image;
  return {index / per_image, within / across * winograd_tile, within % across * winograd_tile};
}

/// U of a group of x's channels and a slice of y's; `filters` (32,9,64).
template <class T>
void transform_filters(float* u, const T* filters) {
  for (int c = 0; c < group; ++c) {
    for (int k = 0; k < slice_vectors; ++k) {
      const T* g = filters + c * 9 * slice + k * lanes;
      Vector columns[3][6];  // [s][i]: G·g
      for (int s = 0; s < 3; ++s) {
        filter_transform(columns[s], load(g + s * slice), load(g + (3 + s) * slice),
                         load(g + (6 + s) * slice));
      }
      float* to = u + (k / panel_vectors * group + c) * panel + k % panel_vectors * lanes;
      for (int i = 0; i < 6; ++i) {
        Vector row[6];
        filter_transform(row, columns[0][i], columns[1][i], columns[2][i]);
        for (int j = 0; j < 6; ++j) store(to + (6 * i + j) * WinogradWorkspace::u_position, row[j]);
      }
    }
  }
}

/// V of one tile; `v` points to the tile, whose vectors of a group are `tiles` vectors apart.
template <class T>
void transform_input(float* v, std::int64_t tiles, const Winograd<T>& problem, const Tile& tile) {
  const ConvSize& size = problem.size;
  const bool inside =
      tile.top > 0 && tile.left > 0 && tile.top + 5 <= size.height && tile.left + 5 <= size.width;
  const std::int64_t across = size.in_channels;
  const std::int64_t down = size.width * across;
  const T* corner = problem.x + tile.image * size.height * down + (tile.top - 1) * down +
                    (tile.left - 1) * across;
  for (std::int64_t k = 0; k < size.in_channels / lanes; ++k, corner += lanes) {
    Vector columns[6][6];  // [s][i]: Bᵀ·d
    if (inside) {
      for (int s = 0; s < 6; ++s) {
        const T* d = corner + s * across;
        input_transform(columns[s], load(d), load(d + down), load(d + 2 * down), load(d + 3 * down),
                        load(d + 4 * down), load(d + 5 * down));
      }
    } else {
      for (int s = 0; s < 6; ++s) {
        const std::int64_t w = tile.left - 1 + s;
        Vector d[6] = {};
        for (int r = 0; r < 6; ++r) {
          const std::int64_t h = tile.top - 1 + r;
          if (h < 0 || h >= size.height || w < 0 || w >= size.width) continue;
          d[r] = load(corner + r * down + s * across);
        }
        input_transform(columns[s], d[0], d[1], d[2], d[3], d[4], d[5]);
      }
    }
    float* to =
        v + k / group_vectors * WinogradWorkspace::v_group + k % group_vectors * tiles * lanes;
    for (int i = 0; i < 6; ++i) {
      Vector row[6];
      input_transform(row, columns[0][i], columns[1][i], columns[2][i], columns[3][i],
                      columns[4][i], columns[5][i]);
      for (int j = 0; j < 6; ++j) store(to + (6 * i + j) * WinogradWorkspace::v_position, row[j]);
    }
  }
}

/// m (tiles × panel) (+)= v (tiles × 32) · u (32 × panel), the sums in registers.
template <int tiles>
void multiply_tiles(float* m, const float* v, std::int64_t v_vector, const float* u, bool add) {
  Vector sums[static_cast<std::size_t>(tiles)][panel_vectors];
#pragma GCC unroll 8
  for (int t = 0; t < tiles; ++t) {
#pragma GCC unroll 8
    for (int n = 0; n < panel_vectors; ++n) {
      sums[t][n] = add ? load(m + t * slice + n * lanes) : Vector{};
    }
  }
  for (int k = 0; k < group_vectors; ++k, v += v_vector) {
#pragma GCC unroll 4
    for (std::int64_t c = 0; c < lanes; ++c, u += panel) {
      Vector right[panel_vectors];
#pragma GCC unroll 8
      for (int n = 0; n < panel_vectors; ++n) right[n] = load(u + n * lanes);
#pragma GCC unroll 8
      for (int t = 0; t < tiles; ++t) {
        const float left = v[t * lanes + c];
#pragma GCC unroll 8
        for (int n = 0; n < panel_vectors; ++n) sums[t][n] += left * right[n];
      }
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < tiles; ++t) {
#pragma GCC unroll 8
    for (int n = 0; n < panel_vectors; ++n) store(m + t * slice + n * lanes, sums[t][n]);
  }
}

/// M of one position (+)= V·U.
void multiply(float* m, const float* v, const float* u, std::int64_t tiles, bool add) {
  const std::int64_t v_vector = tiles * lanes;
  for (int first = 0; first < slice; first += panel, u += group * panel) {
    std::int64_t t = 0;
    for (; t + product_tiles <= tiles; t += product_tiles) {
      multiply_tiles<product_tiles>(m + t * slice + first, v + t * lanes, v_vector, u, add);
    }
    float* rest = m + t * slice + first;
    switch (tiles - t) {
      case 1: multiply_tiles<1>(rest, v + t * lanes, v_vector, u, add); break;
      case 2: multiply_tiles<2>(rest, v + t * lanes, v_vector, u, add); break;
      case 3: multiply_tiles<3>(rest, v + t * lanes, v_vector, u, add); break;
      case 4: multiply_tiles<4>(rest, v + t * lanes, v_vector, u, add); break;
      case 5: multiply_tiles<5>(rest, v + t * lanes, v_vector, u, add); break;
      default: break;
    }
  }
}

/// The epilogue, and a vector of y.
template <class T>
[[gnu::always_inline]] inline void finish(const Winograd<T>& problem, std::int64_t at,
                                          std::int64_t channel, Vector sum) {
  const WinogradEpilogue<T>& epilogue = problem.epilogue;
  if (epilogue.bias != nullptr) sum += load(epilogue.bias + channel);
  if (epilogue.relu) sum = sum < 0 ? Vector{} : sum;
  if (epilogue.accumulate) sum += load(problem.y + at);
  if (epilogue.mask != nullptr) sum = load(epilogue.mask + at) > 0 ? sum : Vector{};
  store(problem.y + at, sum);
}

/// One tile of y in 64 of its channels; `m` points to the tile.
template <class T>
void transform_output(const Winograd<T>& problem, const float* m, const Tile& tile,
                      std::int64_t channel) {
  const ConvSize& size = problem.size;
  const std::int64_t rows = size.height - tile.top;
  const std::int64_t width = size.width - tile.left;
  for (int k = 0; k < slice_vectors; ++k, m += lanes, channel += lanes) {
    Vector columns[6][4];  // [j][r]: Aᵀ·m
    for (int j = 0; j < 6; ++j) {
      const float* column = m + j * WinogradWorkspace::m_position;
      constexpr std::int64_t down = 6 * WinogradWorkspace::m_position;
      output_transform(columns[j], load(column), load(column + down), load(column + 2 * down),
                       load(column + 3 * down), load(column + 4 * down), load(column + 5 * down));
    }
    std::int64_t pixel = (tile.image * size.height + tile.top) * size.width + tile.left;
    for (int r = 0; r < winograd_tile && r < rows; ++r, pixel += size.width) {
      Vector row[4];
      output_transform(row, columns[0][r], columns[1][r], columns[2][r], columns[3][r],
                       columns[4][r], columns[5][r]);
      for (int s = 0; s < winograd_tile && s < width; ++s) {
        finish(problem, (pixel + s) * size.out_channels + channel, channel, row[s]);
      }
    }
  }
}

template <class T>
void compute(const Winograd<T>& problem, const WinogradBlock& block,
             const WinogradWorkspace& workspace) {
  const ConvSize& size = problem.size;
  for (std::int64_t t = 0; t < block.tiles; ++t) {
    transform_input(workspace.v + t * lanes, block.tiles, problem,
                    tile_at(block.first_tile + t, size));
  }
  for (std::int64_t k = block.first_slice; k < block.first_slice + block.slices; ++k) {
    const T* filters = problem.filters + k * size.in_channels * 9 * slice;
    for (std::int64_t c = 0; c < size.in_channels / group; ++c) {
      transform_filters(workspace.u, filters + c * group * 9 * slice);
      const float* v = workspace.v + c * WinogradWorkspace::v_group;
      for (std::int64_t p = 0; p < winograd_positions; ++p) {
        multiply(workspace.m + p * WinogradWorkspace::m_position,
                 v + p * WinogradWorkspace::v_position,
                 workspace.u + p * WinogradWorkspace::u_position, block.tiles, c > 0);
      }
    }
    for (std::int64_t t = 0; t < block.tiles; ++t) {
      transform_output(problem, workspace.m + t * slice, tile_at(block.first_tile + t, size),
                       k * slice);
    }
  }
}

}  // namespace

void compute_block(const Winograd<float>& problem, const WinogradBlock& block,
                   const WinogradWorkspace& workspace) {
  compute(problem, block, workspace);
}

void compute_block(const Winograd<bfloat16>& problem, const WinogradBlock& block,
                   const WinogradWorkspace& workspace) {
  compute(problem, block, workspace);
}

}  // namespace impasto::kernels::cpu::IMPASTO_SIMD
