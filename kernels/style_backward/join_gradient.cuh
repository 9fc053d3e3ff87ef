// SPDX-License-Identifier: MIT
#pragma once

#include <bit>

#include "kernels/common/pack.cuh"
#include "kernels/common/size.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// A pack of a gradient and of its feature map as they were loaded. As 16-bit values each of them
/// would take a register.
template <class T, int width>
struct HeldPack {
  using Words = Pack<std::uint32_t, static_cast<int>(sizeof(T)) * width / 4>;
  Words grad;
  Words features;
};

/// Loads what the epilogue needs; `at` is the place in both maps, and nothing is there if it is not
/// `inside`.
///
/// A thread that joins several packs loads all of them before it stores the first: the compiler
/// must assume that a store changes what is loaded after it, and would let each load wait for the
/// store before it.
template <int width, class T>
__device__ __forceinline__ HeldPack<T, width> hold_pack(const T* grad, const T* features,
                                                        std::int64_t at, bool inside,
                                                        const GradientEpilogue& epilogue) {
  HeldPack<T, width> held{};
  if (!inside) return held;
  using Words = typename HeldPack<T, width>::Words;
  if (epilogue.accumulate) held.grad = std::bit_cast<Words>(load_pack<width>(grad + at));
  if (epilogue.relu_mask) held.features = std::bit_cast<Words>(load_pack<width>(features + at));
  return held;
}

template <class T>
__device__ __forceinline__ T joined(T held, T feature, float value,
                                    const GradientEpilogue& epilogue) {
  if (epilogue.accumulate) value += static_cast<float>(held);
  if (epilogue.relu_mask && !(static_cast<float>(feature) > 0)) value = 0;
  return static_cast<T>(value);
}

/// Stores a pack of a gradient, joined to what is held as the epilogue says.
template <class T, int width>
__device__ __forceinline__ void join_pack(T* grad, std::int64_t at, bool inside,
                                          const HeldPack<T, width>& held,
                                          const float (&values)[width],
                                          const GradientEpilogue& epilogue) {
  if (!inside) return;
  auto pack = std::bit_cast<Pack<T, width>>(held.grad);
  const auto features = std::bit_cast<Pack<T, width>>(held.features);
#pragma unroll
  for (int v = 0; v < width; ++v) {
    pack.values[v] = joined(pack.values[v], features.values[v], values[v], epilogue);
  }
  store_pack<width>(grad + at, pack);
}

/// Both at once, value by value unless `packed`. `left` values remain in the row; with `packed` that
/// is a whole pack or none.
template <bool packed, class T, int width>
__device__ __forceinline__ void join_gradient(T* grad, const T* features, std::int64_t at, int left,
                                              const float (&values)[width],
                                              const GradientEpilogue& epilogue) {
  if constexpr (packed) {
    const auto held = hold_pack<width>(grad, features, at, left > 0, epilogue);
    join_pack(grad, at, left > 0, held, values, epilogue);
  } else {
#pragma unroll
    for (int v = 0; v < width; ++v) {
      if (v >= left) break;
      const T held = epilogue.accumulate ? grad[at + v] : T{};
      const T feature = epilogue.relu_mask ? features[at + v] : T{};
      grad[at + v] = joined(held, feature, values[v], epilogue);
    }
  }
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
