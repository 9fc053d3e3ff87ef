// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "kernels/common/device.hpp"

namespace impasto::kernels {

/// From one storage type to another.
/// Math    y[i] = x[i], rounded to nearest, ties to even; NaN stays NaN and what is too large for
///         float16 becomes infinite
/// Shapes  x, y (count)
/// Cost    both read or written once

namespace reference {
void convert(double* y, const double* x, std::int64_t count);
}

namespace IMPASTO_DEVICE {
/// Enqueues it. One of the types is float, the other float, bfloat16 or float16.
template <class To, class From>
void convert(To* y, const From* x, std::int64_t count, Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
