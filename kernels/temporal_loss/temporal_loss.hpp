// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "kernels/common/blocks.hpp"
#include "kernels/common/device.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// Temporal loss: how far the pixels x are from a target t, the earlier result moved along with what
/// the film shows, where a mask m says that it was visible there.
/// Math    loss[n] = loss_scale · Σ_{p,c} m[n,p]·(x[n,p,c] − t[n,p,c])²
///         grad_x += gradient_scale · m·(x − t);  gradient_scale = weight·2·loss_scale
/// Shapes  pixels, target, grad_pixels (N,H,W,C); mask (N,H,W,1); loss (N). grad_pixels may be null:
///         the loss alone
/// Source  Ruder, Dosovitskiy, Brox 2016, §4.2
/// Cost    2 1/C values read and, for the gradient, one read and written per value; 6 FLOP
struct TemporalLossScale {
  double loss = 1;
  double gradient = 1;
};

namespace reference {
void temporal_loss(double* loss, double* grad_pixels, const double* pixels, const double* target,
                   const double* mask, const MapSize& size, const TemporalLossScale& scale);
}

namespace cpu {
/// The loss is summed in double, in a fixed order.
void temporal_loss(float* loss, float* grad_pixels, const float* pixels, const float* target,
                   const float* mask, const MapSize& size, const TemporalLossScale& scale);
}  // namespace cpu

/// Doubles of workspace for the device's version.
inline std::int64_t temporal_loss_workspace(const MapSize& size) {
  return size.batch * sum_blocks(size.per_image());
}

namespace IMPASTO_DEVICE {
/// Enqueues it. The loss is summed in a fixed order. `blocks_done` is a number that is 0, and 0 again
/// afterwards.
void temporal_loss(float* loss, float* grad_pixels, const float* pixels, const float* target,
                   const float* mask, const MapSize& size, const TemporalLossScale& scale,
                   double* workspace, unsigned* blocks_done, Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
