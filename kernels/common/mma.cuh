// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/bfloat16.hpp"
#include "kernels/common/float16.hpp"
#include "simt/ptx.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// d += a·b on tensor cores, 16×8 values per warp. T is what the registers hold, with tf32 for
/// float. K is 32 bytes: 16 values of 16 bits or 8 of tf32. The layouts are in simt/ptx.hpp.
template <class T>
inline constexpr int mma_k = static_cast<int>(32 / sizeof(T));

template <class T>
__device__ __forceinline__ void mma(float (&d)[4], const std::uint32_t (&a)[4],
                                    const std::uint32_t (&b)[2]) {
  if constexpr (std::is_same_v<T, float>) {
    simt::mma_m16n8k8_tf32(d, a, b);
  } else if constexpr (std::is_same_v<T, bfloat16>) {
    simt::mma_m16n8k16_bf16(d, a, b);
  } else {
    simt::mma_m16n8k16_f16(d, a, b);
  }
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
