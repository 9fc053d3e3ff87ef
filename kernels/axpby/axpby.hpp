// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "kernels/common/device.hpp"

namespace impasto::kernels {

/// A weighted sum of two arrays: means of several targets.
/// Math    y = a·x + b·y; with b = 0 y is not read
/// Shapes  x, y (count)
/// Source  BLAS's axpby
/// Cost    2 values read (1 with b = 0), 1 written; 3 FLOP
/// Order   each product is taken in double and rounded to y's type, then added in it: every version
///         gives the same bits

namespace reference {
void axpby(double* y, double a, const double* x, double b, std::int64_t count);
}

namespace cpu {
void axpby(float* y, double a, const float* x, double b, std::int64_t count);
}

namespace IMPASTO_DEVICE {
/// Enqueues the sum.
void axpby(float* y, double a, const float* x, double b, std::int64_t count, Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
