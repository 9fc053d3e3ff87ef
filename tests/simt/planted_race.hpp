// SPDX-License-Identifier: MIT
#pragma once

#include "simt/launch.hpp"

namespace simt::test {

/// Every thread of a block writes the same value.
inline constexpr int race_line = __LINE__ + 1;
__global__ void planted_race(float* y) { y[0] = 1; }

}  // namespace simt::test
