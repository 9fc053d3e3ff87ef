// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "kernels/common/bfloat16.hpp"
#include "kernels/common/device.hpp"

namespace impasto::kernels {

/// One layer's style loss, and the matrix that turns features into their gradient.
/// Math    D = gram_scale·G − target
///         loss[n] = loss_scale · Σ_{i,j} D[n,i,j]²
///         M[n]    = gradient_scale · D[n]
///         With G = FᵀF and gradient_scale = weight·4·loss_scale·gram_scale, F·M is the gradient of
///         weight·loss with respect to F (G is symmetric, hence 4 and not 2).
/// Shapes  gram, matrix (N,C,C), which may be the same array; target (C,C), already normalised,
///         shared by the batch; loss (N)
/// Source  Gatys, Ecker, Bethge 2015, eqs. 4–6
/// Cost    3·C² values moved and 4·C² FLOP per image
struct StyleLossScale {
  double gram = 1;      ///< normaliser of this image's Gram matrix
  double loss = 1;      ///< normaliser of the squared distance
  double gradient = 1;  ///< weight·4·loss·gram
};

namespace reference {
void style_loss(double* loss, double* matrix, const double* gram, const double* target,
                std::int64_t batch, std::int64_t channels, const StyleLossScale& scale);
}

namespace cpu {
/// Sums in double, in a fixed order.
void style_loss(float* loss, float* matrix, const float* gram, const float* target,
                std::int64_t batch, std::int64_t channels, const StyleLossScale& scale);
}  // namespace cpu

/// M in a GPU's memory, for what writes it and for what reads it: in float, or in bfloat16, as products
/// of bfloat16 maps take it. One of the two is null.
struct StyleMatrixOutput {
  float* wide = nullptr;
  bfloat16* narrow = nullptr;

  StyleMatrixOutput(float* values) : wide(values) {}
  StyleMatrixOutput(bfloat16* values) : narrow(values) {}
};
struct StyleMatrix {
  const float* wide = nullptr;
  const bfloat16* narrow = nullptr;

  StyleMatrix(const float* values) : wide(values) {}
  StyleMatrix(const bfloat16* values) : narrow(values) {}
  StyleMatrix(const StyleMatrixOutput& matrix) : wide(matrix.wide), narrow(matrix.narrow) {}
};

namespace IMPASTO_DEVICE {
/// Enqueues the operation; sums in double, in an order that C alone fixes. `workspace` holds
/// style_loss_workspace(batch, channels) doubles.
void style_loss(float* loss, const StyleMatrixOutput& matrix, const float* gram,
                const float* target, std::int64_t batch, std::int64_t channels,
                const StyleLossScale& scale, double* workspace, Stream stream);
std::int64_t style_loss_workspace(std::int64_t batch, std::int64_t channels);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
