// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include "kernels/common/device.hpp"
#include "kernels/common/ladder.hpp"
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
/// The CPU version is oneDNN's (host/backend/cpu/conv.cpp).

namespace reference {
void first_conv_forward(double* y, const double* pixels, const double* weight, const double* bias,
                        const std::array<double, 3>& mean, const MapSize& y_size, bool relu);
void first_conv_backward(double* grad_pixels, const double* grad_y, const double* weight,
                         const MapSize& y_size);
}  // namespace reference

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
