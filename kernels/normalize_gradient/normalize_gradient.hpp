// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/blocks.hpp"
#include "kernels/common/device.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// A gradient brought to a given size, so that what a loss counts does not depend on the loss.
/// Math    grad_x = mask ⊙ (grad_x + norm · g / (‖g‖₁ + least)), for each image, as the epilogue says
/// Shapes  g, grad_x, x (N,H,W,C); x is read for the mask alone
/// Source  neural-style's -normalize_gradients, which has least = 1e-8
/// Cost    g read twice, 1 value written (1 more read to accumulate, 1 more for the mask); 4 FLOP
/// Order   the norm is summed in double, in a fixed order
struct GradientNorm {
  double norm = 1;
  double least = 1e-8;
};

namespace reference {
void normalize_gradient(double* grad_x, const double* g, const double* x, const MapSize& size,
                        const GradientNorm& to, const GradientEpilogue& epilogue);
}

namespace cpu {
/// T: float or bfloat16.
template <class T>
void normalize_gradient(T* grad_x, const T* g, const T* x, const MapSize& size,
                        const GradientNorm& to, const GradientEpilogue& epilogue);
}  // namespace cpu

/// Doubles of workspace for the device's version: what its blocks add up, and the norms.
inline std::int64_t normalize_gradient_workspace(const MapSize& size) {
  return size.batch * (sum_blocks(size.per_image()) + 1);
}

namespace IMPASTO_DEVICE {
/// Enqueues it. T: float, bfloat16 or float16.
template <class T>
void normalize_gradient(T* grad_x, const T* g, const T* x, const MapSize& size,
                        const GradientNorm& to, const GradientEpilogue& epilogue, double* workspace,
                        Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
