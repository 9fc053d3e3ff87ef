// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/gram/rung_7_tensor_cores.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Rung 7's blocks over splits of the pixels, as in rung 6: what tensor cores finish sooner is
/// bound by memory, and ten blocks do not draw what a GPU can read. Two for each processor do.
struct GramTensorCoresSplit : GramTwoStages<GramMma<no_block_limit>> {};

}  // namespace impasto::kernels::IMPASTO_DEVICE
