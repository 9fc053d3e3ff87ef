// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "kernels/common/device.hpp"
#include "kernels/common/ladder.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

template <class T>
using StyleBackwardLauncher = void (*)(T* grad, const T* features, const float* matrix,
                                       const MapSize& size, const GradientEpilogue& epilogue,
                                       float* workspace, Stream stream);

struct StyleBackwardRung : Rung {
  std::int64_t (*workspace)(const MapSize& size);  ///< in floats, aligned to 16 bytes
  PerStorage<StyleBackwardLauncher> launch;
};

std::span<const StyleBackwardRung> style_backward_ladder();

}  // namespace impasto::kernels::IMPASTO_DEVICE
