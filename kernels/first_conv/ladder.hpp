// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "kernels/common/ladder.hpp"
#include "kernels/first_conv/first_conv.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

template <class T>
using FirstConvForward = void (*)(T* y, const float* pixels, const float* weight, const float* bias,
                                  const std::array<float, 3>& mean, const MapSize& y_size,
                                  bool relu, Stream stream);
template <class T>
using FirstConvBackward = void (*)(float* grad_pixels, const T* grad_y, const float* weight,
                                   const MapSize& y_size, Stream stream);

struct FirstConvForwardRung : Rung {
  PerStorage<FirstConvForward> launch;
};
struct FirstConvBackwardRung : Rung {
  PerStorage<FirstConvBackward> launch;
};

std::span<const FirstConvForwardRung> first_conv_forward_ladder();
std::span<const FirstConvBackwardRung> first_conv_backward_ladder();

}  // namespace impasto::kernels::IMPASTO_DEVICE
