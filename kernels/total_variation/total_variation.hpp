// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "kernels/common/device.hpp"
#include "kernels/common/ladder.hpp"
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

/// A block of the device's version has variation_block_values neighbouring values of
/// variation_block_rows rows; so many lie along a row of W·C values, and down the rows of an image.
inline constexpr std::int64_t variation_block_values = 128;
inline constexpr std::int64_t variation_block_rows = 8;
constexpr std::int64_t variation_blocks_across(const MapSize& size) {
  return (size.width * size.channels + variation_block_values - 1) / variation_block_values;
}
constexpr std::int64_t variation_blocks_down(const MapSize& size) {
  return (size.height + variation_block_rows - 1) / variation_block_rows;
}

/// Doubles of workspace for the device's version.
constexpr std::int64_t total_variation_workspace(const MapSize& size) {
  return size.batch * variation_blocks_across(size) * variation_blocks_down(size);
}

namespace IMPASTO_DEVICE {
/// Enqueues the operation. The loss is summed in a fixed order. `blocks_done` is a number that is 0,
/// and 0 again afterwards.
void total_variation(float* loss, float* grad_pixels, const float* pixels, const MapSize& size,
                     const VariationScale& scale, double* workspace, unsigned* blocks_done,
                     Stream stream);

template <class T>
using VariationLauncher = void (*)(float* loss, T* grad_pixels, const T* pixels,
                                   const MapSize& size, const VariationScale& scale,
                                   double* workspace, unsigned* blocks_done, Stream stream);
using VariationRung = RungWith<VariationLauncher>;
std::span<const VariationRung> total_variation_ladder();
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
