// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "kernels/common/device.hpp"
#include "kernels/common/ladder.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// 3×3 convolution, stride 1, zero padding 1, with bias and ReLU; and its data gradient.
/// Math    y[n,h,w,k] = act(bias[k] + Σ_{r,s,c} weight[k,r,s,c] · x[n,h+r−1,w+s−1,c])
///         grad_x[n,h,w,c] = Σ_{k,r,s} weight[k,r,s,c] · grad_y[n,h+1−r,w+1−s,k]
///         which is again a 3×3 convolution, of grad_y with weight'[c,r,s,k] = weight[k,2−r,2−s,c]
/// Shapes  x (N,H,W,Cin), y (N,H,W,Cout), weight (Cout,3,3,Cin), bias (Cout)
/// Source  Simonyan & Zisserman 2015; the deep-learning convention, i.e. cross-correlation
/// Cost    18·Cin·Cout·N·H·W FLOP each way
///
/// On the CPU oneDNN computes it directly (host/backend/cpu/conv.cpp), or our kernel in Winograd's
/// form (winograd.hpp). On a GPU our kernels compete with cuDNN's.
struct ConvSize {
  std::int64_t batch = 1;
  std::int64_t height = 1;
  std::int64_t width = 1;
  std::int64_t in_channels = 1;
  std::int64_t out_channels = 1;
};

namespace reference {
void conv_forward(double* y, const double* x, const double* weight, const double* bias,
                  const ConvSize& size, bool relu);

/// `x` is read for the mask only and may be null without it.
void conv_data_gradient(double* grad_x, const double* grad_y, const double* weight, const double* x,
                        const ConvSize& size, const GradientEpilogue& epilogue);
}  // namespace reference

namespace IMPASTO_DEVICE {
/// Each enqueues its work. T: float, bfloat16 or float16, also that of the filters; sums in float.
template <class T>
void conv_forward(T* y, const T* x, const T* weight, const float* bias, const ConvSize& size,
                  bool relu, Stream stream);
/// `rotated` is weight', (Cin,3,3,Cout). `x` is read for the mask only.
template <class T>
void conv_data_gradient(T* grad_x, const T* grad_y, const T* rotated, const T* x,
                        const ConvSize& size, const GradientEpilogue& epilogue, Stream stream);

/// Whether tensor cores compute it: maps of 16 bits whose channels come in 64s, from sm_80 on. Else
/// it is a plain loop.
template <class T>
bool conv_fits(const ConvSize& size);

/// The rest of conv_forward behind a library's sums, in place: y = act(y + bias), y of `size`. The
/// sums were rounded to T once already. Enqueues; T as above. 2 values moved per value of y.
template <class T>
void bias_relu(T* y, const float* bias, const MapSize& size, bool relu, Stream stream);

template <class T>
using ConvForwardLauncher = void (*)(T* y, const T* x, const T* weight, const float* bias,
                                     const ConvSize& size, bool relu, Stream stream);
template <class T>
using ConvDataGradientLauncher = void (*)(T* grad_x, const T* grad_y, const T* rotated, const T* x,
                                          const ConvSize& size, const GradientEpilogue& epilogue,
                                          Stream stream);
using ConvForwardRung = RungWith<ConvForwardLauncher>;
using ConvDataGradientRung = RungWith<ConvDataGradientLauncher>;
std::span<const ConvForwardRung> conv_forward_ladder();
std::span<const ConvDataGradientRung> conv_data_gradient_ladder();
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
