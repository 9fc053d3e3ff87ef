// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "kernels/common/ladder.hpp"
#include "kernels/gram_loss/gram_loss.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

template <class T>
using GramLossLauncher = void (*)(float* loss, float* matrix, const T* features,
                                  const float* target, const MapSize& size,
                                  const StyleLossScale& scale, float* workspace, Stream stream);

struct GramLossRung : Rung {
  std::int64_t (*workspace)(const MapSize& size);  ///< in floats, aligned to 8 bytes
  PerStorage<GramLossLauncher> launch;
};

std::span<const GramLossRung> gram_loss_ladder();

}  // namespace impasto::kernels::IMPASTO_DEVICE
