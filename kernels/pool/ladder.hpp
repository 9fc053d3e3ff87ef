// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "kernels/common/ladder.hpp"
#include "kernels/pool/pool.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

template <class T>
using PoolBackwardLauncher = void (*)(T* grad_x, const T* grad_y, const T* x, const MapSize& x_size,
                                      const PoolKind& kind, const GradientEpilogue& epilogue,
                                      Stream stream);

struct PoolBackwardRung : Rung {
  PerStorage<PoolBackwardLauncher> launch;
};

std::span<const PoolBackwardRung> pool_backward_ladder();

}  // namespace impasto::kernels::IMPASTO_DEVICE
