// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "kernels/common/bfloat16.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels::cpu {

/// The transforms of Winograd's F(4×4, 3×3): a 3×3 convolution with a quarter of the
/// multiplications. Every 4×4 tile of y comes from a 6×6 patch d of x; patches overlap by 2.
/// Math    U = G·g·Gᵀ,  V = Bᵀ·d·B,  M = Σ_c U⊙V,  y = Aᵀ·M·A
///         The sum over channels is 36 matrix products (tiles × Cin)·(Cin × Cout), one a position.
/// Shapes  U (36,Cin,Cout); V (36,tiles,Cin); M (36,tiles,Cout); ⌈H/4⌉·⌈W/4⌉ tiles an image, in row
///         order, image by image
/// Error   1e-6 relative in float, ten times that of the direct sum. So it serves feature maps in
///         16 bits, whose rounding is a thousand times as large.
/// Source  Lavin & Gray, "Fast algorithms for convolutional neural networks", CVPR 2016, §4.3
/// Cost    4.5·Cin·Cout·N·H·W FLOP in the products, and 2.25 values written and read per value of x
///         and of y
inline constexpr std::int64_t winograd_tile = 4;
inline constexpr std::int64_t winograd_positions = 36;

constexpr std::int64_t winograd_tiles(std::int64_t side) {
  return (side + winograd_tile - 1) / winograd_tile;
}

/// A range of channels of a feature map.
struct ChannelRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// U (36,Cin,range.count) for a range of output channels, from filters (Cin,9,Cout).
void winograd_filters(float* u, const bfloat16* filters, std::int64_t in_channels,
                      std::int64_t out_channels, const ChannelRange& range);

/// V (36,tiles,C) of the tiles [first, first + tiles) of x, zero outside the map.
void winograd_input(float* v, const bfloat16* x, const MapSize& size, std::int64_t first,
                    std::int64_t tiles);

/// What is done to y before it is stored, in this order.
struct WinogradEpilogue {
  const float* bias = nullptr;     ///< added to every pixel
  bool relu = false;               ///< negative values become 0
  bool accumulate = false;         ///< y is added to
  const bfloat16* mask = nullptr;  ///< y = 0 where this feature map is 0
};

/// The tiles [first, first + tiles) of y, in a range of its channels, from M
/// (36,tiles,range.count).
void winograd_output(bfloat16* y, const float* m, const MapSize& size, std::int64_t first,
                     std::int64_t tiles, const ChannelRange& range,
                     const WinogradEpilogue& epilogue);

}  // namespace impasto::kernels::cpu
