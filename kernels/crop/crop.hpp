// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "kernels/common/device.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// Where a part of an array begins: the row and the column of its first pixel.
struct Corner {
  std::int64_t top = 0;
  std::int64_t left = 0;
};

/// A rectangle of a picture or a feature map, and the gradient of that: how a picture is computed tile
/// by tile.
/// Math    forward:  y_hwc = x_{h+top,w+left,c}
///         backward: grad_x = mask ⊙ (grad_x + grad_y inside the rectangle, 0 outside), as the epilogue
///         says; where it only adds, nothing outside is touched
/// Shapes  x and its gradient (N,H,W,C), y and its gradient (N,H',W',C) with top + H' ≤ H, left + W' ≤ W
/// Cost    1 value read, 1 written of each in the rectangle; backward with a mask or without sum also 1
///         of each outside; 1 more read to accumulate, 1 more for the mask

namespace reference {
void crop_forward(double* y, const double* x, const MapSize& y_size, const MapSize& x_size,
                  const Corner& corner);
/// `x` is read for the mask alone.
void crop_backward(double* grad_x, const double* grad_y, const double* x, const MapSize& y_size,
                   const MapSize& x_size, const Corner& corner, const GradientEpilogue& epilogue);
}  // namespace reference

namespace cpu {
/// T: float or bfloat16.
template <class T>
void crop_forward(T* y, const T* x, const MapSize& y_size, const MapSize& x_size,
                  const Corner& corner);
template <class T>
void crop_backward(T* grad_x, const T* grad_y, const T* x, const MapSize& y_size,
                   const MapSize& x_size, const Corner& corner, const GradientEpilogue& epilogue);
}  // namespace cpu

namespace IMPASTO_DEVICE {
/// Enqueues it. T: float, bfloat16 or float16.
template <class T>
void crop_forward(T* y, const T* x, const MapSize& y_size, const MapSize& x_size,
                  const Corner& corner, Stream stream);
template <class T>
void crop_backward(T* grad_x, const T* grad_y, const T* x, const MapSize& y_size,
                   const MapSize& x_size, const Corner& corner, const GradientEpilogue& epilogue,
                   Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
