// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/adam/adam.hpp"
#include "kernels/common/device.hpp"
#include "kernels/common/size.hpp"
#include "kernels/total_variation/total_variation.hpp"

namespace impasto::kernels {

/// The end of an iteration, total_variation and adam in one: the variation's gradient joins the
/// pixels', and Adam moves them with the sum.
/// Math    loss[n] = loss_scale · Σ (squared differences of neighbours in x), as total_variation;
///         ḡ = grad + gradient_scale · (sum of x minus each of its up to four neighbours);
///         m, v and updated = one step of adam from x along ḡ, its box included
/// Shapes  updated, m, v, pixels, grad (N,H,W,C); loss (N); step (1). No two of the arrays overlap:
///         `updated` is not `pixels`, since neighbours still read the old ones.
/// Source  Mahendran & Vedaldi 2015, §3 with β = 2; Kingma & Ba 2015, algorithm 1
/// Cost    4 values read and 3 written per pixel value when neighbours come from cache, 28 bytes
///         where the two operations move 40; 23 FLOP
namespace reference {
void pixel_update(double* updated, double* m, double* v, std::int64_t* step, double* loss,
                  const double* pixels, const double* grad, const MapSize& size,
                  const VariationScale& variation, const AdamOptions& options);
}

/// Doubles of workspace for the device's version: the variation's, and the 2 floats of adam's.
constexpr std::int64_t pixel_update_workspace(const MapSize& size) {
  return total_variation_workspace(size) + 1;
}

namespace IMPASTO_DEVICE {
/// Enqueues it. The same bits as total_variation and adam one after the other in updated, m and v;
/// the loss is summed in a fixed order. `grad` is used up: it may hold anything afterwards.
void pixel_update(float* updated, float* m, float* v, std::int64_t* step, float* loss,
                  const float* pixels, float* grad, const MapSize& size,
                  const VariationScale& variation, const AdamOptions& options, double* workspace,
                  Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
