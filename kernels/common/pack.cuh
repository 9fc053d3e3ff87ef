// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "simt/cuda.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// `width` neighbouring values that one instruction loads or stores.
template <class T, int width>
struct alignas(sizeof(T) * width) Pack {
  T values[width];
};

template <int width, class T>
__device__ __forceinline__ Pack<T, width> load_pack(const T* from) {
  return simt::load_vector(reinterpret_cast<const Pack<T, width>*>(from));
}
template <int width, class T>
__device__ __forceinline__ void store_pack(T* to, const Pack<T, width>& pack) {
  simt::store_vector(reinterpret_cast<Pack<T, width>*>(to), pack);
}

/// How many T the widest load brings, 16 bytes.
template <class T>
inline constexpr int widest = static_cast<int>(16 / sizeof(T));

/// Whether packs of `width` may be used: the row's length and every pointer are multiples of it.
/// Null pointers are never used and do not count.
template <class T>
bool can_pack(int width, std::int64_t row_length, std::initializer_list<const T*> pointers) {
  if (row_length % width != 0) return false;
  for (const T* pointer : pointers) {
    if (reinterpret_cast<std::uintptr_t>(pointer) % (sizeof(T) * static_cast<unsigned>(width)) != 0)
      return false;
  }
  return true;
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
