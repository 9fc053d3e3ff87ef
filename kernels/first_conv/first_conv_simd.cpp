// SPDX-License-Identifier: MIT
// A row of the first convolution's data gradient.
//
// Three channels out are too few for the lanes of a product, so the lanes are channels of grad_y:
// each of the 3 sums of a pixel is a vector, and its lanes are added up at the end. lanes/2 pixels
// at once use each filter that is loaded lanes/2 times, and each value of grad_y 3 times.
#include <utility>

#include "kernels/common/simd_vector.hpp"
#include "kernels/first_conv/first_conv.hpp"

namespace impasto::kernels::cpu::IMPASTO_SIMD {
namespace {

constexpr std::int64_t colors = 3;
constexpr std::int64_t block = lanes / 2;  // pixels: 24 sums in 32 registers, or 12 in 16

using Half [[gnu::vector_size(4 * block)]] = float;

template <std::int64_t pixels>
using Sums = Vector[colors][static_cast<std::size_t>(pixels)];

/// Adds one tap's share to neighbouring pixels. `grad` points to the first one's neighbour.
template <std::int64_t pixels, class T>
[[gnu::always_inline]] inline void add_tap(Sums<pixels>& sums, const T* grad, const float* weight,
                                           std::int64_t channels) {
  for (std::int64_t k = 0; k < channels; k += lanes) {
    Vector filter[colors];
#pragma GCC unroll 8
    for (std::int64_t c = 0; c < colors; ++c) filter[c] = load(weight + c * channels + k);
#pragma GCC unroll 8
    for (std::int64_t p = 0; p < pixels; ++p) {
      const Vector value = load(grad + p * channels + k);
#pragma GCC unroll 8
      for (std::int64_t c = 0; c < colors; ++c) sums[c][p] += value * filter[c];
    }
  }
}

/// Lane l of the result is lane from[l] of a and b, one behind the other.
template <int... from, class H>
[[gnu::always_inline]] inline H shuffled(H a, H b) {
#if __has_builtin(__builtin_shufflevector)
  return __builtin_shufflevector(a, b, from...);
#else  // GCC 11
  using Lanes [[gnu::vector_size(sizeof(H))]] = std::int32_t;
  return __builtin_shuffle(a, b, Lanes{from...});
#endif
}

/// Lane l of the result adds two lanes that are `apart`: of a where l has not that bit, else of b.
template <unsigned apart, unsigned... lane>
[[gnu::always_inline]] inline Half add_neighbours(Half a, Half b,
                                                  std::integer_sequence<unsigned, lane...>) {
  constexpr auto from = [](unsigned l, bool upper) {
    const unsigned of_a = upper ? l | apart : l & ~apart;
    return static_cast<int>((l & apart) != 0 ? of_a + unsigned{block} : of_a);
  };
  return shuffled<from(lane, false)...>(a, b) + shuffled<from(lane, true)...>(a, b);
}
template <unsigned apart>
[[gnu::always_inline]] inline Half add_neighbours(Half a, Half b) {
  return add_neighbours<apart>(a, b, std::make_integer_sequence<unsigned, unsigned{block}>());
}

/// A vector's lower half and its upper half.
[[gnu::always_inline]] inline Half fold(const Vector& v) {
  Half halves[2];
  __builtin_memcpy(halves, &v, sizeof(v));
  return halves[0] + halves[1];
}

/// Lane p of the result is the sum of v[p]'s lanes.
template <std::int64_t count>
[[gnu::always_inline]] inline Half sums_of_lanes(const Vector* v) {
  Half pairs[static_cast<std::size_t>(count / 2)];
#pragma GCC unroll 8
  for (std::int64_t p = 0; p < count / 2; ++p) {
    pairs[p] = add_neighbours<1>(fold(v[2 * p]), fold(v[2 * p + 1]));
  }
  const Half low = add_neighbours<2>(pairs[0], pairs[1]);
  if constexpr (count == 4) return low;
  if constexpr (count == 8) return add_neighbours<4>(low, add_neighbours<2>(pairs[2], pairs[3]));
}

void put(float* grad_pixels, const Sums<block>& sums) {
  Half values[colors];
  for (std::int64_t c = 0; c < colors; ++c) values[c] = sums_of_lanes<block>(sums[c]);
  for (std::int64_t p = 0; p < block; ++p) {
    for (std::int64_t c = 0; c < colors; ++c) grad_pixels[p * colors + c] = values[c][p];
  }
}

void put(float* grad_pixels, const Sums<1>& sums) {
  for (std::int64_t c = 0; c < colors; ++c) {
    float sum = 0;
    for (std::int64_t l = 0; l < lanes; ++l) sum += sums[c][0][l];
    grad_pixels[c] = sum;
  }
}

/// Neighbouring pixels of a row, from w on.
template <std::int64_t pixels, class T>
[[gnu::always_inline]] inline void compute(const FirstConvBackwardRow<T>& row, std::int64_t w) {
  const std::int64_t channels = row.channels;
  Sums<pixels> sums{};
  for (std::int64_t r = 0; r < 3; ++r) {
    if (row.grad_y[r] == nullptr) continue;
    for (std::int64_t s = 0; s < 3; ++s) {
      const std::int64_t at = w + 1 - s;
      if (pixels == 1 && (at < 0 || at >= row.width)) continue;
      add_tap<pixels>(sums, row.grad_y[r] + at * channels,
                      row.weight + (3 * r + s) * colors * channels, channels);
    }
  }
  put(row.grad_pixels + w * colors, sums);
}

template <class T>
void compute_row(const FirstConvBackwardRow<T>& row) {
  std::int64_t w = 0;
  compute<1>(row, w++);
  for (; w + block < row.width; w += block) compute<block>(row, w);
  for (; w < row.width; ++w) compute<1>(row, w);
}

}  // namespace

void first_conv_backward(const FirstConvBackwardRow<float>& row) { compute_row(row); }
void first_conv_backward(const FirstConvBackwardRow<bfloat16>& row) { compute_row(row); }

}  // namespace impasto::kernels::cpu::IMPASTO_SIMD
