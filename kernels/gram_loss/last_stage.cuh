// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/loss_sum.cuh"
#include "kernels/gram/gram_sum.cuh"
#include "kernels/gram_loss/gram_loss.hpp"
#include "kernels/style_loss/style_matrix.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// What becomes of the partial sums.
struct GramLossStage {
  LossSum losses;
  StyleMatrixOutput matrix;
  GramPartials partials;
  const float* target;
  StyleLossScale scale;
  int images;
  int blocks;  ///< shares of an image
};

/// A thread's values of M, and in thread 0 the share's sum of D². A value off the diagonal's tiles
/// counts twice in it. From G on it computes in double, as style_loss does. `sums` is that of
/// gram_values, `warp_sums` that of block_sum.
template <int tile, int width>
__device__ __forceinline__ void add_gram_loss(const GramLossStage& stage, Pack<float, width>* sums,
                                              std::int64_t share, std::int64_t image,
                                              double* warp_sums) {
  const auto gram = gram_values<tile, width>(sums, stage.partials, share, image);
  const std::int64_t channels = stage.partials.channels;
  const std::int64_t first = image * channels * channels;
  double squares = 0;
#pragma unroll
  for (int v = 0; v < width; ++v) {
    const std::int64_t j = gram.j + v;
    if (!gram.own || j >= channels) break;
    const std::int64_t at = gram.i * channels + j;
    const double difference = stage.scale.gram * static_cast<double>(gram.sum.values[v]) -
                              static_cast<double>(stage.target[at]);
    squares += difference * difference * (gram.mirrored ? 2 : 1);
    const Pack<float, 1> value{{static_cast<float>(stage.scale.gradient * difference)}};
    store_matrix_pack(stage.matrix, first + at, value);
    if (gram.mirrored) store_matrix_pack(stage.matrix, first + j * channels + gram.i, value);
  }
  squares = block_sum(squares, warp_sums);
  if (threadIdx.x == 0) stage.losses.block_sums[image * stage.blocks + share] = squares;
}

/// The second stage of the Gram matrix with the loss in it: it has each value of G in a register,
/// and computes D, D² and the value of M from it. Attacks what rung 1 does besides the product:
/// two launches instead of four, and G is neither written nor read. Bound by the L2 cache, from
/// which it reads 4 bytes per value and split.
template <int tile>
__global__ void __launch_bounds__(gram_sum_threads) gram_loss_kernel(GramLossStage stage) {
  using One = Pack<float, 1>;
  SIMT_SHARED(One, sums, [gram_sum_threads]);
  SIMT_SHARED(double, warp_sums, [32]);
  add_gram_loss<tile, 1>(stage, sums, blockIdx.x, blockIdx.y, warp_sums);
  add_losses(stage.losses, stage.images, stage.blocks, warp_sums);
}

/// The same stage as the last phase of a launch. Its blocks are fewer, so a thread adds `width`
/// neighbours at a time, 16 bytes a load: as many bytes are under way. Needs dynamic shared memory for a
/// pack for each thread.
template <int tile, int width>
__device__ __forceinline__ void add_gram_losses(const GramLossStage& stage) {
  SIMT_SHARED(double, warp_sums, [32]);
  auto* sums = simt::dynamic_shared<Pack<float, width>>();
  for (int i = static_cast<int>(blockIdx.x); i < stage.images * stage.blocks;
       i += static_cast<int>(gridDim.x)) {
    add_gram_loss<tile, width>(stage, sums, i % stage.blocks, i / stage.blocks, warp_sums);
  }
  add_losses(stage.losses, stage.images, stage.blocks, warp_sums);
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
    const GramLossStage stage{{loss, block_sums, blocks_done, scale.loss},
                              matrix,
                              gram_partials(partials, plan, size),
                              target,
                              scale,
                              static_cast<int>(size.batch),
                              static_cast<int>(blocks)};
    simt::launch(plan.tile == 64 ? gram_loss_kernel<64> : gram_loss_kernel<128>,
                 gram_sum_grid("gram_loss", plan, size), stream, stage);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
