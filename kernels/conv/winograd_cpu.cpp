// SPDX-License-Identifier: MIT
#include <algorithm>
#include <omp.h>

#include "kernels/conv/winograd.hpp"
#include "kernels/conv/winograd_block.hpp"

namespace impasto::kernels::cpu {
namespace {

/// How the work is cut, which has no influence on the result.
struct Blocks {
  std::int64_t tiles;   ///< of a block
  std::int64_t slices;  ///< of a block
  std::int64_t across;  ///< blocks of tiles
  std::int64_t down;    ///< blocks of slices
};

/// Blocks of equal numbers of tiles. A block has all slices, so that V is computed once, unless that
/// leaves fewer than two blocks for a thread.
Blocks cut(std::int64_t tiles, std::int64_t slices, std::int64_t threads) {
  const auto divide = [](std::int64_t a, std::int64_t b) { return (a + b - 1) / b; };
  const std::int64_t least = divide(tiles, winograd_block_tiles);
  Blocks blocks{};
  blocks.tiles = divide(divide(tiles, least), 6) * 6;
  blocks.across = divide(tiles, blocks.tiles);
  blocks.slices = divide(slices, std::min(slices, divide(2 * threads, blocks.across)));
  blocks.down = divide(slices, blocks.slices);
  return blocks;
}

template <class T>
void compute_block(Simd simd, const Winograd<T>& problem, const WinogradBlock& block,
                   const WinogradWorkspace& workspace) {
  switch (simd) {
    case Simd::avx2: return avx2::compute_block(problem, block, workspace);
    case Simd::avx512: return avx512::compute_block(problem, block, workspace);
  }
}

}  // namespace

template <class T>
void pack_winograd_filters(T* packed, const float* weight, std::int64_t in_channels,
                           std::int64_t out_channels) {
  for (std::int64_t k = 0; k < out_channels; ++k) {
    T* slice = packed + k / winograd_channels * in_channels * 9 * winograd_channels;
    for (std::int64_t tap = 0; tap < 9; ++tap) {
      for (std::int64_t c = 0; c < in_channels; ++c) {
        slice[(c * 9 + tap) * winograd_channels + k % winograd_channels] =
            static_cast<T>(weight[(k * 9 + tap) * in_channels + c]);
      }
    }
  }
}

template void pack_winograd_filters(float*, const float*, std::int64_t, std::int64_t);
template void pack_winograd_filters(bfloat16*, const float*, std::int64_t, std::int64_t);

template <class T>
void rotate_winograd_filters(T* rotated, const T* packed, std::int64_t in_channels,
                             std::int64_t out_channels) {
  constexpr std::int64_t slice = winograd_channels;
  for (std::int64_t k = 0; k < out_channels; ++k) {
    for (std::int64_t c = 0; c < in_channels; ++c) {
      const T* from = packed + (k / slice * in_channels + c) * 9 * slice + k % slice;
      T* to = rotated + (c / slice * out_channels + k) * 9 * slice + c % slice;
      for (std::int64_t tap = 0; tap < 9; ++tap) to[(8 - tap) * slice] = from[tap * slice];
    }
  }
}

template void rotate_winograd_filters(float*, const float*, std::int64_t, std::int64_t);
template void rotate_winograd_filters(bfloat16*, const bfloat16*, std::int64_t, std::int64_t);

std::int64_t winograd_workspace(std::int64_t in_channels) {
  return winograd_positions * (WinogradWorkspace::u_position + WinogradWorkspace::m_position) +
         in_channels / winograd_group * WinogradWorkspace::v_group;
}

template <class T>
void winograd(const Winograd<T>& problem, Simd simd, float* workspace, int threads) {
  const ConvSize& size = problem.size;
  const std::int64_t tiles = size.batch * winograd_tiles(size.height) * winograd_tiles(size.width);
  const std::int64_t slices = size.out_channels / winograd_channels;
  const Blocks blocks = cut(tiles, slices, threads);

#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (std::int64_t i = 0; i < blocks.across * blocks.down; ++i) {
    float* u = workspace + omp_get_thread_num() * winograd_workspace(size.in_channels);
    float* m = u + winograd_positions * WinogradWorkspace::u_position;
    float* v = m + winograd_positions * WinogradWorkspace::m_position;
    const std::int64_t tile = i / blocks.down * blocks.tiles;
    const std::int64_t slice = i % blocks.down * blocks.slices;
    compute_block(simd, problem,
                  {tile, std::min(blocks.tiles, tiles - tile), slice,
                   std::min(blocks.slices, slices - slice)},
                  {u, m, v});
  }
}

template void winograd(const Winograd<float>&, Simd, float*, int);
template void winograd(const Winograd<bfloat16>&, Simd, float*, int);

}  // namespace impasto::kernels::cpu
