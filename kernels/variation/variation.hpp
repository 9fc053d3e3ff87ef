// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "kernels/common/blocks.hpp"
#include "kernels/common/device.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// Total variation in the forms that published systems use, beside the sum of squares
/// (kernels/total_variation). d = x[h+1,w] − x[h,w], r = x[h,w+1] − x[h,w], e = x[h+1,w+1] − x[h,w] and
/// f = x[h+1,w−1] − x[h,w] in each channel.
/// Math    absolute: loss = loss_scale · (Σ_{h<H−1} |d| + Σ_{w<W−1} |r|)
///         means:    loss = loss_scale · (the mean of all d² + the mean of all r²)
///         power:    loss = loss_scale · Σ_{h<H−1,w<W−1} (d² + r²)^(β/2)
///         nine_point: loss = loss_scale · ((Σ d² + Σ r²)/(3·C·H·W) + (Σ e² + Σ f²)/(12·C·(H+1)·(W+1))),
///                  in which the picture is continued by its outermost pixels: e and f across its
///                  edge are the differences of neighbours along it
///         grad_x += gradient_scale · ∂(loss/loss_scale)/∂x;  gradient_scale = weight·loss_scale.
///         Where a difference is 0, |·| and a power under 2 have the gradient 0
/// Shapes  pixels, grad_pixels (N,H,W,C); loss (N). grad_pixels may be null: the loss alone
/// Source  Rudin, Osher, Fatemi 1992 (absolute); Mahendran & Vedaldi 2015, §3 (power);
///         crowsonkb/style-transfer-pytorch (nine_point)
/// Cost    as total_variation; a power takes 3 powers per value
enum class VariationForm : std::uint8_t { squares, absolute, means, power, nine_point };

struct VariationOptions {
  VariationForm form = VariationForm::absolute;  ///< not squares, which total_variation computes
  double beta = 2;                               ///< of power
  double loss = 1;
  double gradient = 1;
};

namespace reference {
void variation(double* loss, double* grad_pixels, const double* pixels, const MapSize& size,
               const VariationOptions& options);
}

namespace cpu {
/// The loss is summed in double, in a fixed order.
void variation(float* loss, float* grad_pixels, const float* pixels, const MapSize& size,
               const VariationOptions& options);
}  // namespace cpu

/// Doubles of workspace for the device's version.
inline std::int64_t variation_workspace(const MapSize& size) {
  return size.batch * sum_blocks(size.per_image());
}

namespace IMPASTO_DEVICE {
/// Enqueues it. The loss is summed in a fixed order. `blocks_done` is a number that is 0, and 0 again
/// afterwards.
void variation(float* loss, float* grad_pixels, const float* pixels, const MapSize& size,
               const VariationOptions& options, double* workspace, unsigned* blocks_done,
               Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
