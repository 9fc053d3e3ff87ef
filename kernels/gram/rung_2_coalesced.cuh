// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/size.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// A thread computes one value and walks over the pixels. A warp's 32 values are neighbours along
/// j, so it reads 32 channels in a row and one more that all of its lanes share. Attacks the
/// sectors of rung 1: it uses all bytes that it moves. Still bound by memory, mostly by the L1
/// cache: two loads for a multiply-add, and C threads read every value. There are few threads, too:
/// C² = 4096 at conv1_1, on a GPU that runs a quarter of a million.
template <class T>
__global__ void __launch_bounds__(256)
    gram_coalesced_kernel(float* gram, const T* features, std::int64_t pixels,
                          std::int64_t channels) {
  const std::int64_t i = std::int64_t{blockIdx.y} * 8 + threadIdx.y;
  const std::int64_t j = std::int64_t{blockIdx.x} * 32 + threadIdx.x;
  if (i >= channels || j >= channels) return;
  const T* pixel = features + blockIdx.z * pixels * channels;
  float sum = 0;
  for (std::int64_t p = 0; p < pixels; ++p, pixel += channels) {
    sum += static_cast<float>(pixel[i]) * static_cast<float>(pixel[j]);
  }
  gram[(blockIdx.z * channels + i) * channels + j] = sum;
}

struct GramCoalesced {
  template <class T>
  static void launch(float* gram, const T* features, const MapSize& size, float* /*workspace*/,
                     simt::StreamHandle stream) {
    const auto C = static_cast<unsigned>(size.channels);
    const simt::Grid grid{
        "gram_coalesced", {(C + 31) / 32, (C + 7) / 8, static_cast<unsigned>(size.batch)}, {32, 8}};
    simt::launch(gram_coalesced_kernel<T>, grid, stream, gram, features, size.pixels(),
                 size.channels);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
