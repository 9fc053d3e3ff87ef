// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/common/bfloat16.hpp"
#include "kernels/common/device.hpp"
#include "kernels/common/ladder.hpp"
#include "kernels/common/simd.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// From pixels to the first feature map: preprocess, 3×3 convolution, bias and ReLU in one kernel;
/// and the gradient back to the pixels.
/// Math    y[n,h,w,k] = act(bias[k] + Σ_{r,s,c} weight[k,r,s,c]·(pixels[n,h+r−1,w+s−1,c]−mean[c]))
///         summed over taps inside the image: outside lies the mean pixel
///         grad_pixels[n,h,w,c] = Σ_{k,r,s} weight[k,r,s,c] · grad_y[n,h+1−r,w+1−s,k]
/// Shapes  pixels, grad_pixels (N,H,W,3), y, grad_y (N,H,W,Cout), weight (Cout,3,3,3), bias (Cout),
///         mean (3)
/// Source  Simonyan & Zisserman 2015, §2.1
/// Cost    54·Cout FLOP and 12 + sizeof(T)·Cout bytes per pixel each way
///
/// The CPU's forward version is oneDNN's (host/backend/cpu/conv.cpp), and so is the backward one where
/// ours does not fit.

namespace reference {
void first_conv_forward(double* y, const double* pixels, const double* weight, const double* bias,
                        const std::array<double, 3>& mean, const MapSize& y_size, bool relu);
void first_conv_backward(double* grad_pixels, const double* grad_y, const double* weight,
                         const MapSize& y_size);
}  // namespace reference

namespace cpu {
/// Whether there is a version for a map of so many channels.
constexpr bool first_conv_backward_fits(std::int64_t channels) { return channels % 16 == 0; }

/// T: float or bfloat16; sums in float, their order that of W alone.
template <class T>
void first_conv_backward(float* grad_pixels, const T* grad_y, const float* weight,
                         const MapSize& y_size, Simd simd);

/// The filters by tap, colour and channel: (3,3,3,Cout) from weight (Cout,3,3,3).
std::vector<SimdLine> first_conv_filters_by_tap(const float* weight, std::int64_t channels);

/// A row of it.
template <class T>
struct FirstConvBackwardRow {
  float* grad_pixels;   ///< (W,3)
  const T* grad_y[3];   ///< the rows h+1, h and h−1 of it, (W,Cout); null outside the map
  const float* weight;  ///< by tap
  std::int64_t width;
  std::int64_t channels;
};
// first_conv_simd.cpp, once for each set of instructions.
namespace avx2 {
void first_conv_backward(const FirstConvBackwardRow<float>& row);
void first_conv_backward(const FirstConvBackwardRow<bfloat16>& row);
}  // namespace avx2
namespace avx512 {
void first_conv_backward(const FirstConvBackwardRow<float>& row);
void first_conv_backward(const FirstConvBackwardRow<bfloat16>& row);
}  // namespace avx512
template <class T>
void first_conv_backward(const FirstConvBackwardRow<T>& row, Simd simd) {
  simd == Simd::avx512 ? avx512::first_conv_backward(row) : avx2::first_conv_backward(row);
}
}  // namespace cpu

namespace IMPASTO_DEVICE {
/// Each enqueues its work. T: float, bfloat16 or float16; sums in float.
template <class T>
void first_conv_forward(T* y, const float* pixels, const float* weight, const float* bias,
                        const std::array<float, 3>& mean, const MapSize& y_size, bool relu,
                        Stream stream);
template <class T>
void first_conv_backward(float* grad_pixels, const T* grad_y, const float* weight,
                         const MapSize& y_size, Stream stream);

template <class T>
using FirstConvForwardLauncher = void (*)(T* y, const float* pixels, const float* weight,
                                          const float* bias, const std::array<float, 3>& mean,
                                          const MapSize& y_size, bool relu, Stream stream);
template <class T>
using FirstConvBackwardLauncher = void (*)(float* grad_pixels, const T* grad_y, const float* weight,
                                           const MapSize& y_size, Stream stream);
using FirstConvForwardRung = RungWith<FirstConvForwardLauncher>;
using FirstConvBackwardRung = RungWith<FirstConvBackwardLauncher>;
std::span<const FirstConvForwardRung> first_conv_forward_ladder();
std::span<const FirstConvBackwardRung> first_conv_backward_ladder();
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
