// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

#include "kernels/common/epilogue.hpp"
#include "kernels/common/loss_sum.cuh"
#include "kernels/common/pack.cuh"
#include "kernels/content_loss/content_loss.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Takes the place of an epilogue where only the loss is wanted.
struct NoContentGradient {
  static constexpr bool reads_grad = false;
};

/// Loss and gradient in one pass and in packs. Attacks the values that rung 1 moves twice, and one
/// by one.
///
/// A block takes its share of one image, a thread a pack of 16 bytes at a time: it reads the pack,
/// adds it to its sum and writes the gradient. Bound by memory: 3 values moved, 5 FLOP. A pack is
/// summed in float, the packs in double, one addition for several values. Float alone would lose
/// digits over a large map, and double alone is slow on GPUs with few double units.
template <class T, int width, class Epilogue>
__global__ void __launch_bounds__(256, 4)
    content_loss_kernel(LossSum losses, T* grad, const T* features, const T* target,
                        std::int64_t per_image, float gradient_scale) {
  SIMT_SHARED(double, warp_sums, [32]);
  features += blockIdx.y * per_image;
  target += blockIdx.y * per_image;
  if constexpr (!std::is_same_v<Epilogue, NoContentGradient>) grad += blockIdx.y * per_image;
  const std::int64_t stride = std::int64_t{gridDim.x} * 256 * width;
  double sum = 0;
  for (std::int64_t i = (std::int64_t{blockIdx.x} * 256 + threadIdx.x) * width; i < per_image;
       i += stride) {
    const auto feature_pack = load_pack<width>(features + i);
    const auto target_pack = load_pack<width>(target + i);
    Pack<T, width> result;
    if constexpr (Epilogue::reads_grad) result = load_pack<width>(grad + i);
    float pack_sum = 0;
#pragma unroll
    for (int j = 0; j < width; ++j) {
      const float difference =
          static_cast<float>(feature_pack.values[j]) - static_cast<float>(target_pack.values[j]);
      pack_sum += difference * difference;
      if constexpr (!std::is_same_v<Epilogue, NoContentGradient>) {
        Epilogue::join(&result.values[j], gradient_scale * difference, &feature_pack.values[j]);
      }
    }
    sum += static_cast<double>(pack_sum);
    if constexpr (!std::is_same_v<Epilogue, NoContentGradient>) {
      store_pack<width>(grad + i, result);
    }
  }
  sum = block_sum(sum, warp_sums);
  if (threadIdx.x == 0) {
    losses.block_sums[std::int64_t{blockIdx.y} * gridDim.x + blockIdx.x] = sum;
  }
  add_losses(losses, gridDim.y, gridDim.x, warp_sums);
}

struct ContentLossOnePass {
  template <class T>
  static void launch(float* loss, T* grad, const T* features, const T* target, const MapSize& size,
                     const ContentLossScale& scale, const GradientEpilogue& epilogue,
                     double* workspace, unsigned* blocks_done, simt::StreamHandle stream) {
    const std::int64_t blocks = sum_blocks(size.per_image());
    const simt::Grid grid{
        "content_loss", {static_cast<unsigned>(blocks), static_cast<unsigned>(size.batch)}, {256}};
    const bool packed = can_pack<T>(widest<T>, size.per_image(), {grad, features, target});
    const auto run = [&]<class Epilogue>(Epilogue) {
      simt::launch(packed ? content_loss_kernel<T, widest<T>, Epilogue>
                          : content_loss_kernel<T, 1, Epilogue>,
                   grid, stream, LossSum{loss, workspace, blocks_done, scale.loss}, grad, features,
                   target, size.per_image(), static_cast<float>(scale.gradient));
    };
    if (grad == nullptr) {
      run(NoContentGradient{});
    } else {
      with_epilogue(epilogue, run);
    }
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
