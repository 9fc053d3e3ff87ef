// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/mma.cuh"
#include "kernels/common/pack.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// A slice of the pixels in shared memory, pixel by pixel as in the feature map: 32 pixels in 16
/// bits or 16 in float, 64 bytes of each of the tile's channels. The 16-byte chunks of a row are
/// swizzled, differently from row to row, so that what a warp reads along a column lies in
/// different banks.
template <class T, int tile>
struct GramSwizzledSlice {
  static constexpr int pixels = static_cast<int>(64 / sizeof(T));
  static constexpr int chunks = tile / widest<T>;
  static constexpr int values = pixels * tile;

  /// The place of a channel's value.
  static __device__ __forceinline__ int at(int pixel, int channel) {
    const int swizzle = sizeof(T) == 2 ? pixel & 7 : (pixel & 3) << 1;
    const int chunk = (channel / widest<T>)^swizzle;
    return pixel * tile + chunk * widest<T> + channel % widest<T>;
  }

  /// The A factor of one product: 16 channels from `channel` on, mma_k pixels from `pixel` on. A
  /// row of the slice holds one pixel, that is one K, so ldmatrix transposes 16-bit values.
  static __device__ __forceinline__ void load_a(std::uint32_t (&a)[4], const T* slice, int pixel,
                                                int channel) {
    const int lane = static_cast<int>(threadIdx.x % 32);
    if constexpr (sizeof(T) == 2) {
      const int matrix = lane / 8;
      simt::ldmatrix_trans(a,
                           slice + at(pixel + matrix / 2 * 8 + lane % 8, channel + matrix % 2 * 8));
    } else {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int from = at(pixel + lane % 4 + i / 2 * 4, channel + lane / 4 + i % 2 * 8);
        a[i] = simt::to_tf32(slice[from]);
      }
    }
  }

  /// The B factors of two products: 8 channels from `channel` on, and the 8 after them.
  static __device__ __forceinline__ void load_b(std::uint32_t (&b)[2][2], const T* slice, int pixel,
                                                int channel) {
    const int lane = static_cast<int>(threadIdx.x % 32);
    if constexpr (sizeof(T) == 2) {
      const int matrix = lane / 8;
      std::uint32_t both[4];
      simt::ldmatrix_trans(both,
                           slice + at(pixel + matrix % 2 * 8 + lane % 8, channel + matrix / 2 * 8));
#pragma unroll
      for (int i = 0; i < 4; ++i) b[i / 2][i % 2] = both[i];
    } else {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int from = at(pixel + lane % 4 + i % 2 * 4, channel + lane / 4 + i / 2 * 8);
        b[i / 2][i % 2] = simt::to_tf32(slice[from]);
      }
    }
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
