// SPDX-License-Identifier: MIT
#pragma once

#include "simt/launch.hpp"

namespace simt::test {

/// Every thread of a block writes the same value.
inline constexpr int race_line = __LINE__ + 1;
__global__ void planted_race(float* y) { y[0] = 1; }

/// The same, for a kernel of another file.
inline constexpr int helper_line = __LINE__ + 1;
[[gnu::always_inline]] inline void store_one(float* y) { y[0] = 1; }

}  // namespace simt::test
