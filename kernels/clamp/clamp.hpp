// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "kernels/common/device.hpp"

namespace impasto::kernels {

/// One value brought into bounds; a NaN stays a NaN.
template <class T>
IMPASTO_HOST_DEVICE inline T clamped(T value, T lowest, T highest) {
  const T raised = value < lowest ? lowest : value;
  return raised > highest ? highest : raised;
}

/// Values brought into bounds: a ReLU by itself (0 to ∞), or pixels before they are looked at.
/// Math    y = min(max(x, lowest), highest); a NaN stays a NaN
/// Shapes  x, y (count), which may be one array
/// Cost    1 value read, 1 written
namespace reference {
void clamp(double* y, const double* x, double lowest, double highest, std::int64_t count);
}

namespace cpu {
/// T: float or bfloat16.
template <class T>
void clamp(T* y, const T* x, double lowest, double highest, std::int64_t count);
}  // namespace cpu

namespace IMPASTO_DEVICE {
/// Enqueues it. T: float, bfloat16 or float16.
template <class T>
void clamp(T* y, const T* x, double lowest, double highest, std::int64_t count, Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
