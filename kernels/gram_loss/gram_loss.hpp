// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/arithmetic.hpp"
#include "kernels/common/device.hpp"
#include "kernels/common/ladder.hpp"
#include "kernels/common/size.hpp"
#include "kernels/style_loss/style_loss.hpp"

namespace impasto::kernels {

/// A layer's style loss and its matrix straight from the feature map: gram and style_loss in one.
/// Math    G = FᵀF;  D = gram_scale·G − target
///         loss[n] = loss_scale · Σ_{i,j} D[n,i,j]²;  M[n] = gradient_scale · D[n]
/// Shapes  features (N,P,C), target (C,C), symmetric and shared by the batch, matrix (N,C,C), loss
///         (N)
/// Source  Gatys, Ecker, Bethge 2015, eqs. 3–6
/// Cost    2·C²·P FLOP per image; sizeof(T)·C·P + 8·C² bytes, 6·C² with M in bfloat16: G is never
///         written
namespace reference {
void gram_loss(double* loss, double* matrix, const double* features, const double* target,
               const MapSize& size, const StyleLossScale& scale);
}

namespace IMPASTO_DEVICE {
/// Enqueues the operation. T: float, bfloat16 or float16. M has the bits of gram followed by
/// style_loss, rounded once more where it is in bfloat16; the loss is summed in another order, which is fixed too. `workspace`, aligned to 16
/// bytes, holds gram_loss_workspace(size) floats. `blocks_done` is a number that is 0, and 0 again
/// afterwards.
template <class T>
void gram_loss(float* loss, const StyleMatrixOutput& matrix, const T* features, const float* target,
               const MapSize& size, Arithmetic arithmetic, const StyleLossScale& scale,
               float* workspace, unsigned* blocks_done, Stream stream);
std::int64_t gram_loss_workspace(const MapSize& size);

template <class T>
using GramLossLauncher = void (*)(float* loss, const StyleMatrixOutput& matrix, const T* features,
                                  const float* target, const MapSize& size,
                                  const StyleLossScale& scale, float* workspace,
                                  unsigned* blocks_done, Stream stream);
using GramLossRung = RungWith<GramLossLauncher>;
std::span<const GramLossRung> gram_loss_ladder();
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
