// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/gram/rung_7_tensor_cores.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Rung 8 for batches and large images, which have more work tiles than a GPU holds blocks. Two
/// persistent blocks for each SM of an H100 take one work tile after the other, of any image. When
/// a block ends, the next one begins with empty stages, and memory idles for as long as a load
/// takes; a persistent block loads the next work tile while it multiplies the end of this one. The
/// bits are those of rung 8. One image of up to 2²⁰ pixels has no more work tiles than there are
/// blocks, so that the two rungs are the same.
inline constexpr unsigned gram_persistent_blocks = 264;
struct GramPersistent : GramTwoStages<GramMma<gram_persistent_blocks>> {};

}  // namespace impasto::kernels::IMPASTO_DEVICE
