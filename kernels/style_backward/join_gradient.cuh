// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/pack.cuh"
#include "kernels/common/size.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Stores neighbouring values of a gradient as the epilogue says. `at` is their place in both maps.
/// `left` values remain in the row; with `packed` all values are stored, whatever `left` is.
template <bool packed, class T, int width>
__device__ __forceinline__ void join_gradient(T* grad, const T* features, std::int64_t at, int left,
                                              const float (&values)[width],
                                              const GradientEpilogue& epilogue) {
  if constexpr (packed) {
    if (left <= 0) return;
    Pack<T, width> held{};
    Pack<T, width> feature{};
    if (epilogue.accumulate) held = load_pack<width>(grad + at);
    if (epilogue.relu_mask) feature = load_pack<width>(features + at);
#pragma unroll
    for (int v = 0; v < width; ++v) {
      float value = values[v];
      if (epilogue.accumulate) value += static_cast<float>(held.values[v]);
      if (epilogue.relu_mask && !(static_cast<float>(feature.values[v]) > 0)) value = 0;
      held.values[v] = static_cast<T>(value);
    }
    store_pack<width>(grad + at, held);
  } else {
#pragma unroll
    for (int v = 0; v < width; ++v) {
      if (v >= left) break;
      float value = values[v];
      if (epilogue.accumulate) value += static_cast<float>(grad[at + v]);
      if (epilogue.relu_mask && !(static_cast<float>(features[at + v]) > 0)) value = 0;
      grad[at + v] = static_cast<T>(value);
    }
  }
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
