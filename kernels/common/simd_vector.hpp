// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "kernels/common/bfloat16.hpp"

// Vectors, for files that are compiled once for AVX2 and once for AVX-512 (*_simd.cpp). IMPASTO_SIMD is
// the namespace. Such a file calls nothing that another file might also compile: the linker keeps
// one copy of an inline function, and that of AVX-512 would not run everywhere. So everything here
// is always inlined.
namespace impasto::kernels::cpu::IMPASTO_SIMD {

#ifdef __AVX512F__
inline constexpr std::int64_t lanes = 16;
#else
inline constexpr std::int64_t lanes = 8;
#endif

using Vector [[gnu::vector_size(4 * lanes)]] = float;
using Words [[gnu::vector_size(4 * lanes)]] = std::uint32_t;
using HalfWords [[gnu::vector_size(2 * lanes)]] = std::uint16_t;

template <class V, class T>
[[gnu::always_inline]] inline V load_bytes(const T* from) {
  V value;
  __builtin_memcpy(&value, from, sizeof(V));
  return value;
}

[[gnu::always_inline]] inline Vector load(const float* from) { return load_bytes<Vector>(from); }

[[gnu::always_inline]] inline Vector load(const bfloat16* from) {
  const Words bits = __builtin_convertvector(load_bytes<HalfWords>(from), Words) << 16U;
  return load_bytes<Vector>(&bits);
}

[[gnu::always_inline]] inline void store(float* to, Vector value) {
  __builtin_memcpy(to, &value, sizeof(value));
}

/// Rounds as bfloat16(float) does.
[[gnu::always_inline]] inline void store(bfloat16* to, Vector value) {
  const auto bits = load_bytes<Words>(&value);
  const Words rounded = (bits + 0x7fffU + ((bits >> 16U) & 1U)) >> 16U;
  const Words quiet_nan = (bits >> 16U) | 0x40U;
  const Words chosen = (bits & 0x7fffffffU) > 0x7f800000U ? quiet_nan : rounded;
  const HalfWords narrow = __builtin_convertvector(chosen, HalfWords);
  __builtin_memcpy(&to->bits, &narrow, sizeof(narrow));
}

}  // namespace impasto::kernels::cpu::IMPASTO_SIMD
