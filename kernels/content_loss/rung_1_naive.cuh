// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/loss_sum.cuh"
#include "kernels/common/size.hpp"
#include "kernels/content_loss/content_loss.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// The loss, one value at a time. blockIdx is (share of the image, image).
template <class T>
__global__ void __launch_bounds__(256)
    content_loss_naive_kernel(double* block_sums, const T* features, const T* target,
                              std::int64_t per_image) {
  SIMT_SHARED(double, warp_sums, [32]);
  features += blockIdx.y * per_image;
  target += blockIdx.y * per_image;
  double sum = 0;
  for (std::int64_t i = std::int64_t{blockIdx.x} * 256 + threadIdx.x; i < per_image;
       i += std::int64_t{gridDim.x} * 256) {
    const double difference =
        static_cast<double>(static_cast<float>(features[i]) - static_cast<float>(target[i]));
    sum += difference * difference;
  }
  sum = block_sum(sum, warp_sums);
  if (threadIdx.x == 0) block_sums[std::int64_t{blockIdx.y} * gridDim.x + blockIdx.x] = sum;
}

/// The gradient, in a pass of its own, a thread for each value.
template <class T>
__global__ void __launch_bounds__(256)
    content_gradient_naive_kernel(T* grad, const T* features, const T* target, std::int64_t count,
                                  float scale, GradientEpilogue epilogue) {
  const std::int64_t i = std::int64_t{blockIdx.x} * 256 + threadIdx.x;
  if (i >= count) return;
  const auto feature = static_cast<float>(features[i]);
  float value = scale * (feature - static_cast<float>(target[i]));
  if (epilogue.accumulate) value += static_cast<float>(grad[i]);
  if (epilogue.relu_mask && !(feature > 0)) value = 0;
  grad[i] = static_cast<T>(value);
}

/// The two formulas in two passes over both maps: 5 values are moved where 3 would do, one by one.
struct ContentLossNaive {
  template <class T>
  static void launch(float* loss, T* grad, const T* features, const T* target, const MapSize& size,
                     const ContentLossScale& scale, const GradientEpilogue& epilogue,
                     double* workspace, unsigned* /*blocks_done*/, simt::StreamHandle stream) {
    const std::int64_t blocks = sum_blocks(size.per_image());
    const auto images = static_cast<unsigned>(size.batch);
    simt::launch(content_loss_naive_kernel<T>,
                 {"content_loss_naive", {static_cast<unsigned>(blocks), images}, {256}}, stream,
                 workspace, features, target, size.per_image());
    launch_loss_sum(loss, workspace, size.batch, blocks, scale.loss, stream);
    if (grad == nullptr) return;
    const unsigned gradient_blocks = blocks_for(size.count(), 256, size.count());
    simt::launch(content_gradient_naive_kernel<T>,
                 {"content_gradient_naive", {gradient_blocks}, {256}}, stream, grad, features,
                 target, size.count(), static_cast<float>(scale.gradient), epilogue);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
