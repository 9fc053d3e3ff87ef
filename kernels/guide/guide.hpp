// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/device.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// A feature map seen through a guidance channel, which says how much each pixel counts, and the
/// gradient of that.
/// Math    forward:  y_pc = T_p · x_pc
///         backward: grad_x_pc = mask ⊙ (grad_x_pc + T_p · grad_y_pc), as the epilogue says
/// Shapes  x, y and their gradients (N,H,W,C); guide T (H,W), for every image
/// Source  Gatys, Ecker, Bethge, Hertzmann, Shechtman 2017, §4: guided feature maps
/// Cost    1 value read, 1 written (backward: 1 more read to accumulate, 1 more for the mask); 1 FLOP

namespace reference {
void guide_forward(double* y, const double* x, const double* guide, const MapSize& size);
/// `x` is read for the mask alone.
void guide_backward(double* grad_x, const double* grad_y, const double* x, const double* guide,
                    const MapSize& size, const GradientEpilogue& epilogue);
}  // namespace reference

namespace cpu {
/// T: float or bfloat16.
template <class T>
void guide_forward(T* y, const T* x, const float* guide, const MapSize& size);
template <class T>
void guide_backward(T* grad_x, const T* grad_y, const T* x, const float* guide, const MapSize& size,
                    const GradientEpilogue& epilogue);
}  // namespace cpu

namespace IMPASTO_DEVICE {
/// Enqueues it. T: float, bfloat16 or float16.
template <class T>
void guide_forward(T* y, const T* x, const float* guide, const MapSize& size, Stream stream);
template <class T>
void guide_backward(T* grad_x, const T* grad_y, const T* x, const float* guide, const MapSize& size,
                    const GradientEpilogue& epilogue, Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
