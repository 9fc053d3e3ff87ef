// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/gram/rung_11_pipeline.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Rung 11 with persistent blocks, for batches and large images, which have more work tiles than a
/// GPU holds blocks. A block takes one work tile after the other, of any image. When a block of
/// rung 11 ends, the next one begins with empty stages, and memory idles for as long as a load
/// takes; a persistent block loads the next work tile while it multiplies the end of this one. The
/// bits are those of rung 11. One image of up to 2¹⁹ pixels has no more work tiles than there are
/// blocks, so that the two rungs are the same.
using GramPersistent = GramPipelineOf<true>;

}  // namespace impasto::kernels::IMPASTO_DEVICE
