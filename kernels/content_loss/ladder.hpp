// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "kernels/common/ladder.hpp"
#include "kernels/content_loss/content_loss.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

template <class T>
using ContentLossLauncher = void (*)(float* loss, T* grad, const T* features, const T* target,
                                     const MapSize& size, const ContentLossScale& scale,
                                     const GradientEpilogue& epilogue, double* workspace,
                                     Stream stream);

struct ContentLossRung : Rung {
  PerStorage<ContentLossLauncher> launch;
};

/// All of them write content_loss_workspace(size) sums of blocks.
std::span<const ContentLossRung> content_loss_ladder();

}  // namespace impasto::kernels::IMPASTO_DEVICE
