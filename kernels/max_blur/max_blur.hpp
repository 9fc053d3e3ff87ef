// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "kernels/common/device.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// The pooling of networks that were trained to tolerate shifts: a maximum of 2×2 cells at every
/// place, then a binomial blur with stride 2; and its gradient.
/// Math    m[p,q] = max(x[p,q], x[p,q+1], x[p+1,q], x[p+1,q+1]), of (H−1)×(W−1), NaN with a NaN
///         y[i,j] = Σ_{a,b ∈ 0,1,2} b[a]·b[b] · m[ρ(2i+a−2), ρ(2j+b−2)] with b = (1,2,1)/4
///         ρ reflects at m's border and does not repeat it: ρ(−1) = 1, ρ(H−1) = H−3
///         backward: the transposed blur, then each m's share to its first maximum in row order
/// Shapes  x (N,H,W,C) with H, W ≥ 4, y (N,⌊H/2⌋+1,⌊W/2⌋+1,C)
/// Source  Zhang, "Making convolutional networks shift-invariant again", 2019; with the padding of
///         Ghildyal & Liu, "Shift-tolerant perceptual similarity metric", 2022
/// Cost    forward 5/4 and backward 9/4 values moved per value of x (one more to accumulate)

/// The size of y for an x of size `x`; nothing is left of a map with a side under 4.
constexpr MapSize max_blurred(const MapSize& x) {
  const bool enough = x.height >= 4 && x.width >= 4;
  return {x.batch, enough ? x.height / 2 + 1 : 0, enough ? x.width / 2 + 1 : 0, x.channels};
}

/// The rows (or columns) of m that a row of y is the mean of. There are always three in a row: at a
/// border the reflected ones are among them.
struct BlurSupport {
  std::int64_t first;
  /// True of the last row of an odd side: its third row is reflected and so is the first again.
  bool folded;

  [[nodiscard]] IMPASTO_HOST_DEVICE constexpr float weight(std::int64_t tap) const {
    if (tap < 0 || tap > 2) return 0;
    if (folded) return tap == 0 ? 0 : 0.5F;
    return tap == 1 ? 0.5F : 0.25F;
  }
};
/// Of row i of y; `side` is x's height.
IMPASTO_HOST_DEVICE constexpr BlurSupport blur_support(std::int64_t i, std::int64_t side) {
  if (i == 0) return {0, false};
  if (i < side / 2) return {2 * i - 2, false};
  return {side - 4, side % 2 == 1};
}

/// The rows of y, first to last, that row p of m may be part of.
struct BlurReach {
  std::int64_t first;
  std::int64_t last;
};
IMPASTO_HOST_DEVICE constexpr BlurReach blur_reach(std::int64_t p, std::int64_t side) {
  const std::int64_t last = side / 2;
  const std::int64_t behind = p / 2 + 1;
  return {p <= 2 ? 0 : p / 2, p + 4 >= side || behind > last ? last : behind};
}
/// The weight of row p of m in row i of y.
IMPASTO_HOST_DEVICE constexpr float blur_weight(std::int64_t i, std::int64_t p, std::int64_t side) {
  const BlurSupport support = blur_support(i, side);
  return support.weight(p - support.first);
}

/// Which of four cells is the first maximum, and that maximum.
struct FirstMaximum {
  int cell;
  float value;
};
IMPASTO_HOST_DEVICE constexpr FirstMaximum first_maximum(float a, float b, float c, float d) {
  FirstMaximum found{0, a};
  if (b > found.value) found = {1, b};
  if (c > found.value) found = {2, c};
  if (d > found.value) found = {3, d};
  return found;
}

namespace reference {
void max_blur_forward(double* y, const double* x, const MapSize& x_size);
void max_blur_backward(double* grad_x, const double* grad_y, const double* x, const MapSize& x_size,
                       const GradientEpilogue& epilogue);
}  // namespace reference

namespace cpu {
/// T: float or bfloat16; sums in float.
template <class T>
void max_blur_forward(T* y, const T* x, const MapSize& x_size);
template <class T>
void max_blur_backward(T* grad_x, const T* grad_y, const T* x, const MapSize& x_size,
                       const GradientEpilogue& epilogue);
}  // namespace cpu

namespace IMPASTO_DEVICE {
/// Each enqueues its work. T: float, bfloat16 or float16; sums in float.
template <class T>
void max_blur_forward(T* y, const T* x, const MapSize& x_size, Stream stream);
template <class T>
void max_blur_backward(T* grad_x, const T* grad_y, const T* x, const MapSize& x_size,
                       const GradientEpilogue& epilogue, Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
