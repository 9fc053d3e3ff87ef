// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace impasto::kernels::cpu {

/// The instructions of a kernel that is compiled for each of them (files *_simd.cpp), whatever the
/// other kernels are built for.
enum class Simd : std::uint8_t { avx2, avx512 };

/// Whether this processor has them.
inline bool has_simd(Simd simd) {
  if (__builtin_cpu_supports("avx2") == 0 || __builtin_cpu_supports("fma") == 0) return false;
  return simd == Simd::avx2 || __builtin_cpu_supports("avx512f") != 0;
}

/// A cache line. Values for vectors are kept in a std::vector of lines: a vector that crosses lines
/// is read in twice the time.
struct alignas(64) SimdLine {
  static constexpr std::int64_t count = 16;
  float values[count];
};

/// Room for so many values.
inline std::vector<SimdLine> simd_lines(std::int64_t values) {
  return std::vector<SimdLine>(
      static_cast<std::size_t>((values + SimdLine::count - 1) / SimdLine::count));
}

}  // namespace impasto::kernels::cpu
