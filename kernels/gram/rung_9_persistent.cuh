// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/gram/rung_7_tensor_cores.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Rung 8 for batches and large images, of which there are more tiles than a GPU holds blocks: two
/// blocks for each of an H100's processors stay and take one piece after the other, of whatever
/// image. A block that ends lets its successor begin with empty stages, and memory idles for as
/// long as a load takes; here the next piece's slices are on their way while the last ones are
/// multiplied. The same bits as rung 8. Of one image of up to 2²⁰ pixels there are no more tiles
/// than blocks, and the two are the same.
inline constexpr unsigned gram_persistent_blocks = 264;
struct GramPersistent : GramTwoStages<GramMma<gram_persistent_blocks>> {};

}  // namespace impasto::kernels::IMPASTO_DEVICE
