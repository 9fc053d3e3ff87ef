// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// Gradient of the style loss with respect to a feature map, joined to the gradient from above.
/// Math    grad[n] = mask ⊙ (grad[n] + F[n]·M[n]), the sum and the mask as the epilogue says;
///         mask = 1 where F > 0, else 0
/// Shapes  grad, features (N,P,C); matrix (N,C,C) from style_loss
/// Source  Gatys, Ecker, Bethge 2015, eq. 6, and the chain rule through the layer's ReLU
/// Cost    2·C²·P FLOP per image; 2 to 3 values moved per value of F
///
/// The CPU version is a product through oneDNN: host/backend/cpu/style_backward.cpp.
namespace reference {
void style_backward(double* grad, const double* features, const double* matrix, const MapSize& size,
                    const GradientEpilogue& epilogue);
}

namespace cpu {
/// The mask alone: grad = 0 where F = 0. T: float or bfloat16.
template <class T>
void relu_mask(T* grad, const T* features, std::int64_t count);
}  // namespace cpu

}  // namespace impasto::kernels
