// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include "kernels/conv/conv.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// A convolution in either direction, as every rung computes it: of `from` with filters
/// (out_channels,3,3,in_channels), from `size.in_channels` to `size.out_channels`. A sum begins with
/// the bias, is rectified with `relu`, and is stored as the epilogue says.
template <class T>
struct ConvWork {
  T* to;
  const T* from;
  const T* filters;
  const float* bias;  ///< null: none
  const T* features;  ///< for the mask
  ConvSize size;
  bool relu;
  GradientEpilogue epilogue;
};

/// What launches an idea, a struct with a static run<T>(work, stream), in the two directions.
template <class Idea>
struct ConvForwardBy {
  template <class T>
  static void launch(T* y, const T* x, const T* weight, const float* bias, const ConvSize& size,
                     bool relu, simt::StreamHandle stream) {
    Idea::run(ConvWork<T>{y, x, weight, bias, nullptr, size, relu, {}}, stream);
  }
};
template <class Idea>
struct ConvDataGradientBy {
  template <class T>
  static void launch(T* grad_x, const T* grad_y, const T* rotated, const T* x, const ConvSize& size,
                     const GradientEpilogue& epilogue, simt::StreamHandle stream) {
    ConvSize back = size;
    std::swap(back.in_channels, back.out_channels);
    Idea::run(ConvWork<T>{grad_x, grad_y, rotated, nullptr, x, back, false, epilogue}, stream);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
