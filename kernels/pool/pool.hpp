// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/common/device.hpp"
#include "kernels/common/ladder.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// 2×2 pooling with stride 2 and no padding, and its gradient.
/// Math    average: y = Σ window / (cells of the window inside the map)
///         max:     y = max window, NaN with a NaN in it; grad_y goes to the first maximum in row order
///         l2:      y = √Σ window²; grad_x = grad_y · x/y, 0 where y is 0
/// Edges   an odd side leaves half a window: `up` pools it over the cells it has (Caffe, TensorFlow
///         'SAME'), `down` drops it and its cells get no gradient (PyTorch)
/// Shapes  x (N,H,W,C), y (N,H',W',C) with H' = ⌈H/2⌉ or ⌊H/2⌋
/// Cost    forward 5/4 and backward 9/4 values moved per value of x (one more with the mask, max or l2)
/// How a network shrinks its maps. max_blur is another operation: kernels/max_blur.
enum class PoolMode : std::uint8_t { average, max, l2, max_blur };
enum class PoolRounding : std::uint8_t { up, down };

struct PoolKind {
  PoolMode mode = PoolMode::average;
  PoolRounding rounding = PoolRounding::up;
  friend constexpr bool operator==(const PoolKind&, const PoolKind&) = default;
};

/// The size of y for an x of size `x`.
constexpr MapSize pooled(const MapSize& x, PoolRounding rounding) {
  const std::int64_t extra = rounding == PoolRounding::up ? 1 : 0;
  return {x.batch, (x.height + extra) / 2, (x.width + extra) / 2, x.channels};
}

/// Calls body with the mode as a type: what is pooled is known to the compiler.
template <class Body>
void with_pool_mode(PoolMode mode, Body body) {
  if (mode == PoolMode::average) {
    body(std::integral_constant<PoolMode, PoolMode::average>());
  } else if (mode == PoolMode::l2) {
    body(std::integral_constant<PoolMode, PoolMode::l2>());
  } else {
    body(std::integral_constant<PoolMode, PoolMode::max>());
  }
}

/// Where the values of x are positive, which is all that the gradient of an average needs of x for
/// the mask: bit c % 8 of byte c / 8 of a pixel. So many words of 64 bits for x of a multiple of 64
/// channels.
constexpr MapSize positive_bits(const MapSize& x) {
  return {x.batch, x.height, x.width, x.channels / 64};
}

namespace reference {
void pool_forward(double* y, const double* x, const MapSize& x_size, const PoolKind& kind);
void pool_backward(double* grad_x, const double* grad_y, const double* x, const MapSize& x_size,
                   const PoolKind& kind, const GradientEpilogue& epilogue);
}  // namespace reference

namespace cpu {
/// T: float or bfloat16; sums in float.
template <class T>
void pool_forward(T* y, const T* x, const MapSize& x_size, const PoolKind& kind);
template <class T>
void pool_backward(T* grad_x, const T* grad_y, const T* x, const MapSize& x_size,
                   const PoolKind& kind, const GradientEpilogue& epilogue);
}  // namespace cpu

namespace IMPASTO_DEVICE {
/// Each enqueues its work. T: float, bfloat16 or float16; sums in float. The backward pass of an
/// average reads `x` only for the mask, and it may be null without one.
template <class T>
void pool_forward(T* y, const T* x, const MapSize& x_size, const PoolKind& kind, Stream stream);
template <class T>
void pool_backward(T* grad_x, const T* grad_y, const T* x, const MapSize& x_size,
                   const PoolKind& kind, const GradientEpilogue& epilogue, Stream stream);

/// For averages of maps of 16 bits in packs: pool_forward, which notes where x is positive, and
/// pool_backward with the mask as it was noted, without sum. A bit moves where 16 did.
template <class T>
bool pool_notes(const T* y, const T* x, const MapSize& x_size, const PoolKind& kind);
template <class T>
void pool_forward_noting(T* y, unsigned char* positive, const T* x, const MapSize& x_size,
                         const PoolKind& kind, Stream stream);
template <class T>
void pool_backward_noted(T* grad_x, const T* grad_y, const unsigned char* positive,
                         const MapSize& x_size, const PoolKind& kind, Stream stream);

template <class T>
using PoolBackwardLauncher = void (*)(T* grad_x, const T* grad_y, const T* x, const MapSize& x_size,
                                      const PoolKind& kind, const GradientEpilogue& epilogue,
                                      Stream stream);
using PoolBackwardRung = RungWith<PoolBackwardLauncher>;
std::span<const PoolBackwardRung> pool_backward_ladder();
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
