// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include "kernels/common/device.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// What first_conv computes at the picture's border when the picture is continued by its outermost
/// pixels, where first_conv continues it by the mean pixel. Each follows first_conv's own operation.
/// Math    forward, for every pixel of the border, in place of what is there:
///         y[n,h,w,k] = act(bias[k] + Σ_{r,s,c} weight[k,r,s,c]·(pixels[n,κ(h+r−1),κ(w+s−1),c]−mean[c]))
///         with κ the nearest row or column inside the picture
///         backward, for every pixel of the border:
///         grad_pixels[n,h,w,c] += Σ_{(u,v)} Σ_{k,r,s} weight[k,r,s,c] · grad_y[n,u+1−r,v+1−s,k]
///         over the places (u,v) outside the picture with κ(u,v) = (h,w)
/// Shapes  as first_conv's
/// Source  crowsonkb/style-transfer-pytorch: padding mode "replicate" of the first layer alone
/// Cost    54·Cout FLOP for each of the 2H+2W−4 pixels of the border, each way

/// A pixel of the border by its number.
struct BorderPixel {
  std::int64_t row;
  std::int64_t column;
};
constexpr std::int64_t border_count(std::int64_t height, std::int64_t width) {
  if (height == 1) return width;
  return 2 * width + (height - 2) * (width == 1 ? 1 : 2);
}
/// First the upper row, then the lower one, then the sides.
IMPASTO_HOST_DEVICE constexpr BorderPixel border_pixel(std::int64_t number, std::int64_t height,
                                                       std::int64_t width) {
  if (number < width) return {0, number};
  number -= width;
  if (number < width) return {height - 1, number};
  number -= width;
  if (width == 1) return {1 + number, 0};
  return {1 + number / 2, number % 2 * (width - 1)};
}
IMPASTO_HOST_DEVICE constexpr std::int64_t nearest_inside(std::int64_t i, std::int64_t count) {
  return i < 0 ? 0 : i >= count ? count - 1 : i;
}
/// Whether the place `step` rows (−1, 0, 1) from `row` is the row itself or one outside that repeats
/// it.
IMPASTO_HOST_DEVICE constexpr bool repeats(std::int64_t row, int step, std::int64_t count) {
  return nearest_inside(row + step, count) == row;
}

namespace reference {
void replicate_border_forward(double* y, const double* pixels, const double* weight,
                              const double* bias, const std::array<double, 3>& mean,
                              const MapSize& y_size, bool relu);
void replicate_border_backward(double* grad_pixels, const double* grad_y, const double* weight,
                               const MapSize& y_size);
}  // namespace reference

namespace cpu {
/// T: float or bfloat16; sums in float.
template <class T>
void replicate_border_forward(T* y, const float* pixels, const float* weight, const float* bias,
                              const std::array<float, 3>& mean, const MapSize& y_size, bool relu);
template <class T>
void replicate_border_backward(float* grad_pixels, const T* grad_y, const float* weight,
                               const MapSize& y_size);
}  // namespace cpu

namespace IMPASTO_DEVICE {
/// Each enqueues its work. T: float, bfloat16 or float16; sums in float.
template <class T>
void replicate_border_forward(T* y, const float* pixels, const float* weight, const float* bias,
                              const std::array<float, 3>& mean, const MapSize& y_size, bool relu,
                              Stream stream);
template <class T>
void replicate_border_backward(float* grad_pixels, const T* grad_y, const float* weight,
                               const MapSize& y_size, Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
