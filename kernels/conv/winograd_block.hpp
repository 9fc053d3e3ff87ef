// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "kernels/conv/winograd.hpp"

namespace impasto::kernels::cpu {

/// Most tiles of a block: a multiple of the 6 that a product takes at once, and few enough that M
/// stays in the second-level cache.
inline constexpr std::int64_t winograd_block_tiles = 66;
/// Channels of x that are summed up before the next ones' filters are transformed.
inline constexpr std::int64_t winograd_group = 32;

/// Where U, V and M of a block are. Positions are one cache line further apart than a power of two,
/// or the 36 lines that a transform writes would meet in one set of the cache.
struct WinogradWorkspace {
  static constexpr std::int64_t line = 16;
  static constexpr std::int64_t u_position = winograd_group * winograd_channels + line;
  static constexpr std::int64_t v_position = winograd_block_tiles * winograd_group + line;
  static constexpr std::int64_t m_position = winograd_block_tiles * winograd_channels + line;
  static constexpr std::int64_t v_group = winograd_positions * v_position;

  float* u;  ///< of one group: (36, 64/panel, 32, panel); a panel is the channels of one product
  float* m;  ///< (36, tiles, 64)
  float* v;  ///< (Cin/32, 36, 32/lanes, tiles, lanes)
};

/// Some tiles, in row order, image by image; some slices of 64 channels of y.
struct WinogradBlock {
  std::int64_t first_tile;
  std::int64_t tiles;
  std::int64_t first_slice;
  std::int64_t slices;
};

// winograd_simd.cpp, once for each set of instructions.
namespace avx2 {
void compute_block(const Winograd<float>& problem, const WinogradBlock& block,
                   const WinogradWorkspace& workspace);
void compute_block(const Winograd<bfloat16>& problem, const WinogradBlock& block,
                   const WinogradWorkspace& workspace);
}  // namespace avx2
namespace avx512 {
void compute_block(const Winograd<float>& problem, const WinogradBlock& block,
                   const WinogradWorkspace& workspace);
void compute_block(const Winograd<bfloat16>& problem, const WinogradBlock& block,
                   const WinogradWorkspace& workspace);
}  // namespace avx512

}  // namespace impasto::kernels::cpu
