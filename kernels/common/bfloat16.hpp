// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstdint>

namespace impasto::kernels {

/// 16-bit brain float: the upper half of a binary32. 8 bits of exponent, 8 of significand.
struct bfloat16 {
  std::uint16_t bits = 0;

  bfloat16() = default;

  /// Rounds to nearest, ties to even; a NaN stays a (quiet) NaN.
  explicit bfloat16(float value) {
    const auto word = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t rounded = (word + 0x7fffU + ((word >> 16U) & 1U)) >> 16U;
    const std::uint32_t quiet_nan = (word >> 16U) | 0x40U;
    const bool is_nan = (word & 0x7fffffffU) > 0x7f800000U;
    bits = static_cast<std::uint16_t>(is_nan ? quiet_nan : rounded);
  }

  explicit operator float() const {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
  }
};

static_assert(sizeof(bfloat16) == 2);

/// *to = value, rounded to T. Written as a cast inside a `simd` loop, GCC 12 keeps the temporary
/// bfloat16 in memory and does not vectorise the loop.
template <class T>
inline void store(T* to, float value) {
  *to = static_cast<T>(value);
}

}  // namespace impasto::kernels
