// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "kernels/common/bfloat16.hpp"
#include "kernels/common/simd.hpp"
#include "kernels/common/size.hpp"
#include "kernels/conv/conv.hpp"

namespace impasto::kernels::cpu {

/// A 3×3 convolution by Winograd's F(4×4, 3×3), with a quarter of the multiplications. Every 4×4
/// tile of y comes from a 6×6 patch d of x; patches overlap by 2.
/// Math    U = G·g·Gᵀ,  V = Bᵀ·d·B,  M = Σ_c U⊙V,  y = Aᵀ·M·A
///         The sum over channels is 36 matrix products (tiles × Cin)·(Cin × Cout), one a position.
/// Shapes  x (N,H,W,Cin), y (N,H,W,Cout); channels are multiples of 64
/// Error   2e-6 of the RMS in float, ten to twenty times that of the direct sum
/// Source  Lavin & Gray, "Fast algorithms for convolutional neural networks", CVPR 2016, §4.3
/// Cost    4.5·Cin·Cout·N·H·W FLOP in the products
///
/// The work is cut into blocks, some tiles in some channels of y, and a thread computes a whole
/// block: V of its tiles once; then, for 64 channels of y after the other, U and the products of 32
/// channels of x after the other, with U and M in its own cache; then y. Threads wait for each other
/// once a convolution. The order of a sum depends on Cin alone, and so do the bits. U is computed
/// again for every block: that takes about as long as reading it, and U of a whole VGG-19 is 0.4 GB.
inline constexpr std::int64_t winograd_tile = 4;
inline constexpr std::int64_t winograd_positions = 36;
inline constexpr std::int64_t winograd_channels = 64;

constexpr std::int64_t winograd_tiles(std::int64_t side) {
  return (side + winograd_tile - 1) / winograd_tile;
}

/// Whether there is a version for these numbers of channels.
constexpr bool winograd_fits(std::int64_t in_channels, std::int64_t out_channels) {
  return in_channels % winograd_channels == 0 && out_channels % winograd_channels == 0;
}

/// Filters as the blocks read them: (Cout/64,Cin,9,64), from weight (Cout,9,Cin).
template <class T>
void pack_winograd_filters(T* packed, const float* weight, std::int64_t in_channels,
                           std::int64_t out_channels);

/// The filters of the data gradient (Cin/64,Cout,9,64), from packed ones: half a turn.
template <class T>
void rotate_winograd_filters(T* rotated, const T* packed, std::int64_t in_channels,
                             std::int64_t out_channels);

/// What is done to y before it is stored, in this order.
template <class T>
struct WinogradEpilogue {
  const float* bias = nullptr;  ///< added to every pixel
  bool relu = false;            ///< negative values become 0
  bool accumulate = false;      ///< y is added to
  const T* mask = nullptr;      ///< y = 0 where this feature map is 0
};

/// Feature maps and filters of type T; sums are float.
template <class T>
struct Winograd {
  T* y;
  const T* x;
  const T* filters;  ///< packed
  ConvSize size;
  WinogradEpilogue<T> epilogue;
};

/// Values of workspace for each thread.
std::int64_t winograd_workspace(std::int64_t in_channels);

/// Computes y on `threads` threads. `workspace` is aligned to 64 bytes.
template <class T>
void winograd(const Winograd<T>& problem, Simd simd, float* workspace, int threads);

}  // namespace impasto::kernels::cpu
