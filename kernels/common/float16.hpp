// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "kernels/common/device.hpp"
#include "simt/half.hpp"
#ifdef __CUDACC__
#include <cuda_fp16.h>
#endif

namespace impasto::kernels {

/// IEEE binary16: 5 bits of exponent, 11 of significand, up to 65504.
struct float16 {
  std::uint16_t bits = 0;

  float16() = default;

  /// Rounds to nearest, ties to even; what is too large becomes infinity.
  IMPASTO_HOST_DEVICE explicit float16(float value) {
#ifdef __CUDA_ARCH__
    bits = __half_as_ushort(__float2half_rn(value));
#else
    bits = simt::half_from_float(value);
#endif
  }

  IMPASTO_HOST_DEVICE explicit operator float() const {
#ifdef __CUDA_ARCH__
    return __half2float(__ushort_as_half(bits));
#else
    return simt::half_to_float(bits);
#endif
  }
};

static_assert(sizeof(float16) == 2);

}  // namespace impasto::kernels
