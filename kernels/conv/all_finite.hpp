// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "kernels/common/bfloat16.hpp"

namespace impasto::kernels::cpu {

/// Whether every value is a number and none is infinite: only then may a library's ReLU follow a
/// convolution of x, for it makes 0 of a NaN.
/// Cost    1 value read
bool all_finite(const float* x, std::int64_t count);
bool all_finite(const bfloat16* x, std::int64_t count);

}  // namespace impasto::kernels::cpu
