// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// Total variation, squared and anisotropic: how much neighbouring pixels differ.
/// Math    loss[n] = loss_scale · (Σ_{h<H−1,w,c} (x[h+1,w] − x[h,w])² +
///                                 Σ_{h,w<W−1,c} (x[h,w+1] − x[h,w])²)
///         grad_x += gradient_scale · (sum of x minus each of its up to four neighbours);
///         gradient_scale = weight·2·loss_scale
/// Shapes  pixels, grad_pixels (N,H,W,C); loss (N). grad_pixels may be null: the loss alone.
/// Source  Mahendran & Vedaldi 2015, §3 with β = 2
/// Cost    2 values read, 1 written per value when neighbours come from cache; 11 FLOP
struct VariationScale {
  double loss = 1;
  double gradient = 1;
};

namespace reference {
void total_variation(double* loss, double* grad_pixels, const double* pixels, const MapSize& size,
                     const VariationScale& scale);
}

namespace cpu {
/// The loss is summed in double, in a fixed order.
void total_variation(float* loss, float* grad_pixels, const float* pixels, const MapSize& size,
                     const VariationScale& scale);
}  // namespace cpu

}  // namespace impasto::kernels
