// SPDX-License-Identifier: MIT
#include <algorithm>
#include <bit>

#include "kernels/common/parallel.hpp"
#include "kernels/conv/all_finite.hpp"

// Without their signs the bits of numbers are integers in the same order; then comes infinity, and
// then the NaNs. So the largest of them tells, with one instruction for each vector.
namespace impasto::kernels::cpu {
namespace {

bool chunk_is_finite(const float* x, std::int64_t count) {
  std::int32_t most = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    most = std::max(most, std::bit_cast<std::int32_t>(x[i]) & 0x7fffffff);
  }
  return most < 0x7f800000;
}

bool chunk_is_finite(const bfloat16* x, std::int64_t count) {
  std::uint16_t most = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    most = std::max(most, static_cast<std::uint16_t>(x[i].bits & 0x7fffU));
  }
  return most < 0x7f80U;
}

template <class T>
bool every_chunk_is_finite(const T* x, std::int64_t count) {
  const double others = ordered_sum(count, [&](std::int64_t begin, std::int64_t end) {
    return chunk_is_finite(x + begin, end - begin) ? 0.0 : 1.0;
  });
  return others == 0.0;
}

}  // namespace

bool all_finite(const float* x, std::int64_t count) { return every_chunk_is_finite(x, count); }
bool all_finite(const bfloat16* x, std::int64_t count) { return every_chunk_is_finite(x, count); }

}  // namespace impasto::kernels::cpu
