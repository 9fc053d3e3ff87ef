// SPDX-License-Identifier: MIT
#include "kernels/common/blocks.hpp"
#include "kernels/upsample/upsample.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;

/// Where a value of an NHWC array is.
struct Place {
  std::int64_t image, row, column, channel;
};

__device__ inline Place place_of(std::int64_t i, const MapSize& size) {
  const std::int64_t pixel = i / size.channels;
  const std::int64_t line = pixel / size.width;
  return {line / size.height, line % size.height, pixel % size.width, i % size.channels};
}

/// coarse_neighbours() for the device.
__device__ inline Neighbours neighbours_of(std::int64_t i, std::int64_t count) {
  const std::int64_t near = i / 2;
  const std::int64_t other = i % 2 == 0 ? near - 1 : near + 1;
  return {near, other < 0 || other >= count ? near : other};
}

/// A thread takes one value of y at a time and the four of x around it, which its neighbours need
/// as well: they come from cache. Bound by memory; a picture is small, so nothing more is done.
__global__ void __launch_bounds__(threads)
    upsample_add_kernel(float* y, const float* x, MapSize size, MapSize coarse) {
  const std::int64_t stride = std::int64_t{gridDim.x} * blockDim.x;
  const std::int64_t count = size.batch * size.height * size.width * size.channels;
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count;
       i += stride) {
    const Place at = place_of(i, size);
    const Neighbours rows = neighbours_of(at.row, coarse.height);
    const Neighbours columns = neighbours_of(at.column, coarse.width);
    const std::int64_t first = at.image * coarse.height;
    const float* near = x + (first + rows.near) * coarse.width * coarse.channels + at.channel;
    const float* other = x + (first + rows.other) * coarse.width * coarse.channels + at.channel;
    const std::int64_t a = columns.near * coarse.channels;
    const std::int64_t b = columns.other * coarse.channels;
    y[i] +=
        0.75F * (0.75F * near[a] + 0.25F * near[b]) + 0.25F * (0.75F * other[a] + 0.25F * other[b]);
  }
}

__device__ inline float entry(std::int64_t i, std::int64_t j, std::int64_t count) {
  const Neighbours neighbours = neighbours_of(i, count);
  return (neighbours.near == j ? 0.75F : 0.0F) + (neighbours.other == j ? 0.25F : 0.0F);
}

/// A thread takes one value of x at a time and gathers the up to 16 of y that it went to, so that
/// no two threads write to one place. Bound by memory: each value of y is read four times, but once
/// from memory.
__global__ void __launch_bounds__(threads)
    upsample_transpose_kernel(float* x, const float* y, MapSize size, MapSize coarse) {
  const std::int64_t stride = std::int64_t{gridDim.x} * blockDim.x;
  const std::int64_t count = coarse.batch * coarse.height * coarse.width * coarse.channels;
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count;
       i += stride) {
    const Place at = place_of(i, coarse);
    float sum = 0;
    for (std::int64_t h = 2 * at.row - 1; h <= 2 * at.row + 2; ++h) {
      if (h < 0 || h >= size.height) continue;
      const float of_row = entry(h, at.row, coarse.height);
      const float* line = y + (at.image * size.height + h) * size.width * size.channels;
      for (std::int64_t w = 2 * at.column - 1; w <= 2 * at.column + 2; ++w) {
        if (w < 0 || w >= size.width) continue;
        sum += of_row * entry(w, at.column, coarse.width) * line[w * size.channels + at.channel];
      }
    }
    x[i] = sum;
  }
}

}  // namespace

void upsample_add(float* y, const float* x, const MapSize& size, Stream stream) {
  const simt::Grid grid{"upsample_add", {blocks_for(size.count(), threads)}, {threads}};
  simt::launch(upsample_add_kernel, grid, stream, y, x, size, halved(size));
}

void upsample_transpose(float* x, const float* y, const MapSize& size, Stream stream) {
  const MapSize coarse = halved(size);
  const simt::Grid grid{"upsample_transpose", {blocks_for(coarse.count(), threads)}, {threads}};
  simt::launch(upsample_transpose_kernel, grid, stream, x, y, size, coarse);
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
