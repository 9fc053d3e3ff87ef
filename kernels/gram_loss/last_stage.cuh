// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/loss_sum.cuh"
#include "kernels/gram/gram_sum.cuh"
#include "kernels/gram_loss/gram_loss.hpp"
#include "kernels/style_loss/style_matrix.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// The second stage of the Gram matrix with the loss in it: it has each value of G in a register,
/// and computes D, D² and the value of M from it. Attacks what rung 1 does besides the product:
/// two launches instead of four, and G is neither written nor read. A value off the diagonal's
/// tiles counts twice in the loss. From G on it computes in double, as style_loss does. Bound by
/// the L2 cache, from which it reads 4 bytes per value and split.
template <int tile>
__global__ void __launch_bounds__(gram_sum_threads)
    gram_loss_kernel(LossSum losses, StyleMatrixOutput matrix, const float* partials,
                     const float* target, std::int64_t channels, std::int64_t tiles,
                     std::int64_t splits, int parts, StyleLossScale scale) {
  SIMT_SHARED(float, sums, [gram_sum_threads]);
  SIMT_SHARED(double, warp_sums, [32]);
  const GramValue gram = gram_value<tile>(sums, partials, channels, tiles, splits, parts);
  double square = 0;
  if (gram.own) {
    const std::int64_t at = gram.i * channels + gram.j;
    const double difference =
        scale.gram * static_cast<double>(gram.value) - static_cast<double>(target[at]);
    square = difference * difference * (gram.mirrored ? 2 : 1);
    const std::int64_t image = blockIdx.y * channels * channels;
    const Pack<float, 1> value{{static_cast<float>(scale.gradient * difference)}};
    store_matrix_pack(matrix, image + at, value);
    if (gram.mirrored) store_matrix_pack(matrix, image + gram.j * channels + gram.i, value);
  }
  square = block_sum(square, warp_sums);
  if (threadIdx.x == 0) {
    losses.block_sums[std::int64_t{blockIdx.y} * gridDim.x + blockIdx.x] = square;
  }
  add_losses(losses, gridDim.y, gridDim.x, warp_sums);
}

/// A rung of the Gram matrix with two stages, whose second stage is replaced by this one. `target`
/// is symmetric.
template <class TwoStages>
struct GramLossLastStage {
  /// The sums of blocks, two floats each, lie before the partial sums.
  static std::int64_t workspace(const MapSize& size) {
    return 2 * size.batch * gram_sum_blocks(GramPlan(size)) + TwoStages::workspace(size);
  }

  template <class T>
  static void launch(float* loss, const StyleMatrixOutput& matrix, const T* features,
                     const float* target, const MapSize& size, const StyleLossScale& scale,
                     float* workspace, unsigned* blocks_done, Stream stream) {
    const GramPlan plan(size);
    const std::int64_t blocks = gram_sum_blocks(plan);
    auto* block_sums = reinterpret_cast<double*>(workspace);
    float* partials = workspace + 2 * size.batch * blocks;
    TwoStages::launch_partials(partials, features, size, stream);
    simt::launch(plan.tile == 64 ? gram_loss_kernel<64> : gram_loss_kernel<128>,
                 gram_sum_grid("gram_loss", plan, size), stream,
                 LossSum{loss, block_sums, blocks_done, scale.loss}, matrix, partials, target,
                 size.channels, plan.tiles, plan.splits, gram_sum_parts(plan), scale);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
