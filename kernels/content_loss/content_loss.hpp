// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/blocks.hpp"
#include "kernels/common/device.hpp"
#include "kernels/common/ladder.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// Content loss at one layer and its gradient, in one pass.
/// Math    loss[n] = loss_scale · Σ (F[n] − P[n])²
///         grad[n] = mask ⊙ (grad[n] + gradient_scale · (F[n] − P[n])), as the epilogue says;
///         gradient_scale = weight·2·loss_scale
/// Shapes  features, target, grad (N,H,W,C); loss (N). grad may be null: the loss alone.
/// Source  Gatys, Ecker, Bethge 2015, eqs. 1–2
/// Cost    3 values moved (4 when accumulating) and 5 FLOP per value
struct ContentLossScale {
  double loss = 1;
  double gradient = 1;
};

namespace reference {
void content_loss(double* loss, double* grad, const double* features, const double* target,
                  const MapSize& size, const ContentLossScale& scale,
                  const GradientEpilogue& epilogue);
}

namespace cpu {
/// T: float or bfloat16. The loss is summed in double, in a fixed order.
template <class T>
void content_loss(float* loss, T* grad, const T* features, const T* target, const MapSize& size,
                  const ContentLossScale& scale, const GradientEpilogue& epilogue);
}  // namespace cpu

/// Doubles of workspace for the device's version.
inline std::int64_t content_loss_workspace(const MapSize& size) {
  return size.batch * sum_blocks(size.per_image());
}

namespace IMPASTO_DEVICE {
/// Enqueues the operation. T: float, bfloat16 or float16. The loss is summed in a fixed order.
/// `blocks_done` is a number that is 0, and 0 again afterwards.
template <class T>
void content_loss(float* loss, T* grad, const T* features, const T* target, const MapSize& size,
                  const ContentLossScale& scale, const GradientEpilogue& epilogue,
                  double* workspace, unsigned* blocks_done, Stream stream);

template <class T>
using ContentLossLauncher = void (*)(float* loss, T* grad, const T* features, const T* target,
                                     const MapSize& size, const ContentLossScale& scale,
                                     const GradientEpilogue& epilogue, double* workspace,
                                     unsigned* blocks_done, Stream stream);
using ContentLossRung = RungWith<ContentLossLauncher>;
std::span<const ContentLossRung> content_loss_ladder();
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
