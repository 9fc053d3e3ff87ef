// SPDX-License-Identifier: MIT
#pragma once

#include "host/check/operation.hpp"
#include "host/model/network.hpp"

namespace impasto::bench {

/// The least work of a step: that of its operation's case with the same epilogue and pooling. The
/// map of a case is a layer's own, but for convolutions and pools: theirs is the one they read.
work::Work work_of(const StepKind& step, const Network& network, const PoolKind& pool,
                   const Shape& pixels, DataType type);

}  // namespace impasto::bench
