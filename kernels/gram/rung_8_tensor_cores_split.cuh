// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/gram/rung_7_tensor_cores.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Rung 7 over splits of the pixels, as in rung 6. Tensor cores leave memory as the bound, and ten
/// blocks do not ask for as much as a GPU can read; two for each SM do.
struct GramTensorCoresSplit : GramTwoStages<GramMma<no_block_limit>> {};

}  // namespace impasto::kernels::IMPASTO_DEVICE
