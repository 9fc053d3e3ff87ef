// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstdint>

#include "kernels/common/device.hpp"
#ifdef __CUDACC__
#include <cuda_bf16.h>
#endif

namespace impasto::kernels {

/// 16-bit brain float: the upper half of a binary32. 8 bits of exponent, 8 of significand.
struct bfloat16 {
  std::uint16_t bits = 0;

  bfloat16() = default;

  /// Rounds to nearest, ties to even; a NaN stays a (quiet) NaN.
  IMPASTO_HOST_DEVICE explicit bfloat16(float value) {
#ifdef __CUDA_ARCH__
    bits = __bfloat16_as_ushort(__float2bfloat16_rn(value));
#else
    const auto word = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t rounded = (word + 0x7fffU + ((word >> 16U) & 1U)) >> 16U;
    const std::uint32_t quiet_nan = (word >> 16U) | 0x40U;
    const bool is_nan = (word & 0x7fffffffU) > 0x7f800000U;
    bits = static_cast<std::uint16_t>(is_nan ? quiet_nan : rounded);
#endif
  }

  IMPASTO_HOST_DEVICE explicit operator float() const {
#ifdef __CUDA_ARCH__
    return __uint_as_float(static_cast<std::uint32_t>(bits) << 16U);
#else
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
#endif
  }
};

static_assert(sizeof(bfloat16) == 2);

/// *to = value, rounded to T. With a cast in its place, GCC 12 keeps the temporary bfloat16 of a
/// `simd` loop in memory and does not vectorise the loop.
template <class T>
IMPASTO_HOST_DEVICE inline void store(T* to, float value) {
  *to = static_cast<T>(value);
}

}  // namespace impasto::kernels
