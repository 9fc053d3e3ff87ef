// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/reduce.cuh"
#include "kernels/common/size.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// The formula as it stands: a warp computes one value, the product of two columns of the map, and
/// its lanes stride over the pixels. blockIdx is (j, i, image). Bound by memory, as badly as can
/// be: neighbouring lanes read values that lie C apart, so every lane moves a sector of 32 bytes
/// for one value, and every value is read 2·C times.
template <class T>
__global__ void __launch_bounds__(32)
    gram_naive_kernel(float* gram, const T* features, std::int64_t pixels, std::int64_t channels) {
  const T* image = features + blockIdx.z * pixels * channels;
  float sum = 0;
  for (std::int64_t p = threadIdx.x; p < pixels; p += 32) {
    sum += static_cast<float>(image[p * channels + blockIdx.y]) *
           static_cast<float>(image[p * channels + blockIdx.x]);
  }
  sum = warp_sum(sum);
  if (threadIdx.x == 0) {
    gram[(blockIdx.z * channels + blockIdx.y) * channels + blockIdx.x] = sum;
  }
}

struct GramNaive {
  template <class T>
  static void launch(float* gram, const T* features, const MapSize& size, float* /*workspace*/,
                     simt::StreamHandle stream) {
    const auto C = static_cast<unsigned>(size.channels);
    const simt::Grid grid{"gram_naive", {C, C, static_cast<unsigned>(size.batch)}, {32}};
    simt::launch(gram_naive_kernel<T>, grid, stream, gram, features, size.pixels(), size.channels);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
