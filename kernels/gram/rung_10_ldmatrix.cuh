// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/gram/rung_9_tensor_cores.cuh"
#include "kernels/gram/swizzled_slice.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Rung 9 with a swizzled slice, from which ldmatrix loads 16-bit factors: one request to shared
/// memory for four registers, in place of eight that meet in the same banks. (In float, where
/// ldmatrix cannot transpose, the swizzle alone spreads the loads.) Attacks the shared memory that
/// bounds rung 9. Bound by the wait for each slice, during which nothing is multiplied.
using GramLdmatrix = GramMmaOver<GramSwizzledSlice>;

}  // namespace impasto::kernels::IMPASTO_DEVICE
