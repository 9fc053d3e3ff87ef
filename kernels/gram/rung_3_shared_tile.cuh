// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/size.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// A block computes a tile of 32×32 values, a thread one of them. A slice of 32 pixels of both
/// factors lies in shared memory, so that a value loaded from global memory is used 32 times.
/// Attacks the loads of rung 2: every value of the map was loaded C times, now 2·C/32 times. Bound
/// by shared memory: two loads for a multiply-add, one of which all lanes share.
template <class T>
__global__ void __launch_bounds__(1024)
    gram_shared_tile_kernel(float* gram, const T* features, std::int64_t pixels,
                            std::int64_t channels) {
  constexpr int tile = 32;
  SIMT_SHARED(float, rows, [tile][tile]);     // (pixel, i)
  SIMT_SHARED(float, columns, [tile][tile]);  // (pixel, j)
  const T* image = features + blockIdx.z * pixels * channels;
  const unsigned x = threadIdx.x;
  const unsigned y = threadIdx.y;
  const std::int64_t first_i = std::int64_t{blockIdx.y} * tile;
  const std::int64_t first_j = std::int64_t{blockIdx.x} * tile;
  float sum = 0;
  for (std::int64_t first = 0; first < pixels; first += tile) {
    const std::int64_t p = first + y;
    const T* pixel = image + p * channels;
    rows[y][x] =
        p < pixels && first_i + x < channels ? static_cast<float>(pixel[first_i + x]) : 0.0F;
    columns[y][x] =
        p < pixels && first_j + x < channels ? static_cast<float>(pixel[first_j + x]) : 0.0F;
    __syncthreads();
    for (int k = 0; k < tile; ++k) sum += rows[k][y] * columns[k][x];
    __syncthreads();
  }
  if (first_i + y < channels && first_j + x < channels) {
    gram[(blockIdx.z * channels + first_i + y) * channels + first_j + x] = sum;
  }
}

struct GramSharedTile {
  template <class T>
  static void launch(float* gram, const T* features, const MapSize& size, float* /*workspace*/,
                     simt::StreamHandle stream) {
    const auto side = static_cast<unsigned>((size.channels + 31) / 32);
    const simt::Grid grid{
        "gram_shared_tile", {side, side, static_cast<unsigned>(size.batch)}, {32, 32}};
    simt::launch(gram_shared_tile_kernel<T>, grid, stream, gram, features, size.pixels(),
                 size.channels);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
