// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

namespace impasto::kernels {

/// Philox4x32-10, a counter-based generator: the numbers depend on (key, counter) alone, so every
/// backend and any number of threads draw the same noise.
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, §3.
constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                  std::array<std::uint32_t, 2> key) {
  constexpr std::uint64_t multiplier_0 = 0xD2511F53U;
  constexpr std::uint64_t multiplier_1 = 0xCD9E8D57U;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product_0 = multiplier_0 * counter[0];
    const std::uint64_t product_1 = multiplier_1 * counter[2];
    counter = {static_cast<std::uint32_t>(product_1 >> 32U) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(product_1),
               static_cast<std::uint32_t>(product_0 >> 32U) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(product_0)};
    key[0] += 0x9E3779B9U;
    key[1] += 0xBB67AE85U;
  }
  return counter;
}

/// 32 random bits as a float in [0, 1): the upper 24 bits, so every value is exact.
constexpr float philox_uniform(std::uint32_t bits) {
  return static_cast<float>(bits >> 8U) * 0x1p-24F;
}

}  // namespace impasto::kernels
