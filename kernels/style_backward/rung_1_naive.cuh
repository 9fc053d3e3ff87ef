// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/blocks.hpp"
#include "kernels/style_backward/join_gradient.cuh"
#include "kernels/style_loss/style_matrix.cuh"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// A thread computes one value of the gradient, its pixel's features times its column of M, and
/// applies sum and mask. A warp reads 32 neighbouring values of M and one feature that all lanes
/// share, so loads are coalesced. Bound by these loads, two for each multiply-add: M has 4·C²
/// bytes, 1 MB at C = 512, and comes from the L2 cache where it does not fit into L1. blockIdx is
/// (tile of channels, tile of pixels, image).
template <class T>
__global__ void __launch_bounds__(256)
    style_backward_naive_kernel(T* grad, const T* features, StyleMatrix matrix, std::int64_t pixels,
                                int channels, GradientEpilogue epilogue) {
  const int j = static_cast<int>(blockIdx.x * 32 + threadIdx.x);
  if (j >= channels) return;
  const std::int64_t column = std::int64_t{blockIdx.z} * channels * channels + j;
  for (std::int64_t p = std::int64_t{blockIdx.y} * 8 + threadIdx.y; p < pixels;
       p += std::int64_t{gridDim.y} * 8) {
    const std::int64_t pixel = (blockIdx.z * pixels + p) * channels;
    float sum[1] = {};
    for (int k = 0; k < channels; ++k) {
      sum[0] += static_cast<float>(features[pixel + k]) *
                load_matrix_value(matrix, column + std::int64_t{k} * channels);
    }
    join_gradient<false>(grad, features, pixel + j, 1, sum, epilogue);
  }
}

struct StyleBackwardNaive {
  template <class T>
  static void launch(T* grad, const T* features, const StyleMatrix& matrix, const MapSize& size,
                     const GradientEpilogue& epilogue, float* /*workspace*/,
                     simt::StreamHandle stream) {
    const simt::Grid grid{"style_backward_naive",
                          {static_cast<unsigned>((size.channels + 31) / 32),
                           blocks_for(size.pixels(), 8), static_cast<unsigned>(size.batch)},
                          {32, 8}};
    simt::launch(style_backward_naive_kernel<T>, grid, stream, grad, features, matrix,
                 size.pixels(), static_cast<int>(size.channels), epilogue);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
