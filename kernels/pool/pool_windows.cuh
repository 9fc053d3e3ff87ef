// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "kernels/common/pack.cuh"
#include "kernels/pool/pool.hpp"
#include "simt/launch.hpp"

// A thread takes one window and a pack of 16 bytes of its channels. Neighbouring threads read
// neighbouring packs, so that a warp loads 512 bytes in a row, or a few such rows. A block takes
// 256 such items of one row of windows. blockIdx.y is the row and z the image, which leaves one
// 32-bit division per item; a flat index would need three of 64 bits. Bound by memory: every value
// is moved once, and a window needs at most 4 additions or comparisons.
namespace impasto::kernels::IMPASTO_DEVICE {

inline constexpr int pool_threads = 256;
inline constexpr std::int64_t pool_most_rows = 65535;  // of a grid

/// Calls body(row, column, channel) for this thread's windows among `rows` × `columns`.
template <int width, class Body>
__device__ __forceinline__ void for_each_window(std::int64_t rows, std::int64_t columns,
                                                std::int64_t channels, Body body) {
  const auto packs = static_cast<unsigned>(channels / width);
  const unsigned item = blockIdx.x * pool_threads + threadIdx.x;
  if (item >= static_cast<unsigned>(columns) * packs) return;
  for (std::int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
    body(row, std::int64_t{item / packs}, std::int64_t{item % packs} * width);
  }
}

/// A bit for each value of a pack, set where it is positive; and a pack that is positive where a bit
/// is set.
template <class T>
__device__ __forceinline__ unsigned char positive_bits_of(const Pack<T, 8>& pack) {
  unsigned bits = 0;
#pragma unroll
  for (unsigned k = 0; k < 8; ++k) {
    bits |= (static_cast<float>(pack.values[k]) > 0 ? 1U : 0U) << k;
  }
  return static_cast<unsigned char>(bits);
}
template <class T>
__device__ __forceinline__ Pack<T, 8> pack_of(unsigned char positive_bits) {
  Pack<T, 8> pack;
#pragma unroll
  for (unsigned k = 0; k < 8; ++k) {
    pack.values[k] = static_cast<T>((positive_bits >> k) % 2 != 0 ? 1.0F : 0.0F);
  }
  return pack;
}

/// The grid for as many windows as `windows` has pixels, with packs of `width` channels.
inline simt::Grid pool_grid(const char* name, const MapSize& windows, int width) {
  const std::int64_t items = windows.width * windows.channels / width;
  const std::int64_t blocks = std::max<std::int64_t>(1, (items + pool_threads - 1) / pool_threads);
  const std::int64_t rows = std::clamp<std::int64_t>(windows.height, 1, pool_most_rows);
  return {name,
          {static_cast<unsigned>(blocks), static_cast<unsigned>(rows),
           static_cast<unsigned>(windows.batch)},
          {pool_threads}};
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
