// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "kernels/common/device.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// Twice the size by linear interpolation, and its transpose: the step between two levels of a
/// Laplacian pyramid.
/// Math    along each axis (U x)[i] = ¾·x[near(i)] + ¼·x[other(i)], near(i) = ⌊i/2⌋, and other(i)
///         its neighbour on the side of i, or near(i) itself where there is none
///         add:        y += U x
///         transpose:  x = Uᵀ y, which takes the gradient of y to that of x
/// Shapes  y (N,H,W,C), x (N,⌈H/2⌉,⌈W/2⌉,C)
/// Source  bilinear interpolation about pixel centres; Burt & Adelson 1983
/// Cost    add: 1¼ values read, 1 written per value of y; transpose: 1 read, ¼ written; 8 FLOP
constexpr MapSize halved(const MapSize& size) {
  return {size.batch, (size.height + 1) / 2, (size.width + 1) / 2, size.channels};
}

/// The two values of a coarse axis of `count` values that value `i` of the fine axis lies between.
struct Neighbours {
  std::int64_t near;
  std::int64_t other;
};
constexpr Neighbours coarse_neighbours(std::int64_t i, std::int64_t count) {
  const std::int64_t near = i / 2;
  const std::int64_t other = i % 2 == 0 ? near - 1 : near + 1;
  return {near, other < 0 || other >= count ? near : other};
}

namespace reference {
/// `size` is that of y.
void upsample_add(double* y, const double* x, const MapSize& size);
void upsample_transpose(double* x, const double* y, const MapSize& size);
}  // namespace reference

namespace cpu {
void upsample_add(float* y, const float* x, const MapSize& size);
void upsample_transpose(float* x, const float* y, const MapSize& size);
}  // namespace cpu

namespace IMPASTO_DEVICE {
/// Each enqueues its work.
void upsample_add(float* y, const float* x, const MapSize& size, Stream stream);
void upsample_transpose(float* x, const float* y, const MapSize& size, Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
