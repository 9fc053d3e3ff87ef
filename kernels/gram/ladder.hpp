// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "kernels/common/device.hpp"
#include "kernels/common/ladder.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

template <class T>
using GramLauncher = void (*)(float* gram, const T* features, const MapSize& size, float* workspace,
                              Stream stream);

struct GramRung : Rung {
  std::int64_t (*workspace)(const MapSize& size);  ///< in floats
  PerStorage<GramLauncher> launch;
};

std::span<const GramRung> gram_ladder();

}  // namespace impasto::kernels::IMPASTO_DEVICE
