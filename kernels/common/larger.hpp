// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/device.hpp"

namespace impasto::kernels {

/// The larger of two values, the first of equal ones; a NaN if one of them is, as in PyTorch. Two
/// selects: a condition of two comparisons keeps a loop from being vectorised.
template <class T>
IMPASTO_HOST_DEVICE inline T larger(T first, T second) {
  const T most = first < second ? second : first;  // first, if that is a NaN
  return second <= second ? most : second;
}

}  // namespace impasto::kernels
