// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/arithmetic.hpp"
#include "kernels/common/device.hpp"
#include "kernels/common/ladder.hpp"
#include "kernels/common/size.hpp"
#include "kernels/style_loss/style_loss.hpp"

namespace impasto::kernels {

/// Gradient of the style loss with respect to a feature map, joined to the gradient from above.
/// Math    grad[n] = mask ⊙ (grad[n] + F[n]·M[n]), the sum and the mask as the epilogue says;
///         mask = 1 where F > 0, else 0
/// Shapes  grad, features (N,P,C); matrix (N,C,C) from style_loss
/// Source  Gatys, Ecker, Bethge 2015, eq. 6, and the chain rule through the layer's ReLU
/// Cost    2·C²·P FLOP per image; 2 to 3 values moved per value of F
///
/// The CPU version is a product through oneDNN: host/backend/cpu/style.cpp.
namespace reference {
void style_backward(double* grad, const double* features, const double* matrix, const MapSize& size,
                    const GradientEpilogue& epilogue);
}

namespace cpu {
/// The mask alone: grad = 0 where F = 0. T: float or bfloat16.
template <class T>
void relu_mask(T* grad, const T* features, std::int64_t count);
}  // namespace cpu

namespace IMPASTO_DEVICE {
/// Enqueues the operation, in one pass over the maps. T: float, bfloat16 or float16. `matrix` is
/// symmetric. For tensor cores it is rounded to T, each column scaled by a power of two that brings its
/// largest value near 2¹⁵, so that float16 holds coefficients of any size; where T and M are bfloat16,
/// M is multiplied as it is. `workspace`, aligned to 16 bytes, holds as many floats as
/// style_backward_workspace says.
template <class T>
void style_backward(T* grad, const T* features, const StyleMatrix& matrix, const MapSize& size,
                    const GradientEpilogue& epilogue, Arithmetic arithmetic, float* workspace,
                    Stream stream);
/// For the rung that ships, with M in bfloat16 (`narrow`) or in float; and for any rung and M.
template <class T>
std::int64_t style_backward_workspace(const MapSize& size, Arithmetic arithmetic, bool narrow);
std::int64_t style_backward_workspace(const MapSize& size);

template <class T>
using StyleBackwardLauncher = void (*)(T* grad, const T* features, const StyleMatrix& matrix,
                                       const MapSize& size, const GradientEpilogue& epilogue,
                                       float* workspace, Stream stream);
using StyleBackwardRung = RungWith<StyleBackwardLauncher>;
std::span<const StyleBackwardRung> style_backward_ladder();

/// The same in three steps, of which a library does the second:
///   M' = round_for_product(M);  grad = α·F·M' + β·grad;  relu_mask, if asked for
/// M' is M/α in T. 1/α is a power of two, one for the whole batch, that brings the largest value
/// near 2¹⁵: float16 keeps values down to 2⁻²⁹ of it with all of its bits.
struct ProductScalars {
  float alpha;
  float beta;  ///< 1 to accumulate, else 0
};
/// Enqueues the first step; `scalars` is device memory. Returns where M' is, (N,C,C) in
/// `workspace`, which is aligned to 256 bytes and holds product_workspace(size) floats.
template <class T>
const T* round_for_product(ProductScalars* scalars, const StyleMatrix& matrix, const MapSize& size,
                           bool accumulate, float* workspace, Stream stream);
std::int64_t product_workspace(const MapSize& size);
/// Enqueues the third: grad = 0 where F = 0.
template <class T>
void relu_mask(T* grad, const T* features, std::int64_t count, Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
