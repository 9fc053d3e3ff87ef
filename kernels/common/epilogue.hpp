// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/bfloat16.hpp"
#include "kernels/common/device.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// A GradientEpilogue that the compiler knows, so that a loop which ends with it has no branch. It
/// reads `grad` to accumulate and `feature` for the mask only.
template <bool accumulate, bool relu_mask>
struct FixedEpilogue {
  static constexpr bool reads_grad = accumulate;
  static constexpr bool reads_feature = relu_mask;

  template <class T>
  IMPASTO_HOST_DEVICE static void join(T* grad, float value, const T* feature) {
    if constexpr (accumulate) value += static_cast<float>(*grad);
    if constexpr (relu_mask) value = static_cast<float>(*feature) > 0 ? value : 0;
    store(grad, value);
  }
};

/// Calls body(FixedEpilogue<...>{}) for this epilogue.
template <class Body>
void with_epilogue(const GradientEpilogue& epilogue, Body body) {
  if (epilogue.accumulate) {
    epilogue.relu_mask ? body(FixedEpilogue<true, true>{}) : body(FixedEpilogue<true, false>{});
  } else {
    epilogue.relu_mask ? body(FixedEpilogue<false, true>{}) : body(FixedEpilogue<false, false>{});
  }
}

}  // namespace impasto::kernels
