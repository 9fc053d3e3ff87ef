// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/gram/rung_12_persistent.cuh"
#include "kernels/gram_loss/last_stage.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Not inlined: nvcc would spill registers of the first phase for it.
template <int tile, int width>
__device__ __attribute__((noinline)) void gram_loss_phase(const GramLossStage& stage) {
  add_gram_losses<tile, width>(stage);
}

/// Both stages of rung 12 in one launch. Attacks the second launch: all blocks are there at once
/// anyway, so they wait for each other and share the second stage. The bits of M are those of rung 12.
/// Bound by memory, then by the L2 cache, and on small maps by the launch and the wait, a microsecond
/// or so each.
template <class T, int tile, bool packed>
__global__ void __launch_bounds__(2 * tile, packed ? 2 : 1)
    gram_loss_mma_kernel(float* partials, const T* features, GramWork work,
                         const __grid_constant__ GramLossStage loss) {
  if (simt::in_phase(0)) gram_pipeline_tiles<T, tile, packed>(partials, features, work);
  simt::next_phase();
  if (simt::in_phase(1)) gram_loss_phase<tile, packed ? 4 : 1>(loss);
}

struct GramLossOneLaunch {
  /// A block has two threads for a row of its tile. The partial sums have gaps where channels fill no
  /// pack.
  static std::int64_t blocks(const GramPlan& plan, bool packed) {
    return gram_sum_blocks(plan, 2 * plan.tile * (packed ? 4 : 1));
  }
  /// The sums of blocks, two floats each, lie before the partial sums.
  static std::int64_t workspace(const MapSize& size) {
    const GramPlan plan(size);
    return size.batch * (2 * blocks(plan, false) + plan.partials);
  }

  template <class T, int tile, bool packed>
  static void launch_tiles(const T* features, const GramPlan& plan, const MapSize& size,
                           float* partials, const GramLossStage& stage, simt::StreamHandle stream) {
    simt::Grid grid = gram_grid("gram_loss_mma", plan, size);
    grid.shared_bytes = gram_shared_bytes<tile>;
    grid.phases = 2;
    launch_persistent(gram_loss_mma_kernel<T, tile, packed>, grid, stream, partials, features,
                      gram_work(plan, size), stage);
  }

  template <class T>
  static void launch(float* loss, const StyleMatrixOutput& matrix, const T* features,
                     const float* target, const MapSize& size, const StyleLossScale& scale,
                     float* workspace, unsigned* blocks_done, Stream stream) {
    const GramPlan plan(size);
    const bool packed = can_pack<T>(widest<T>, size.channels, {features});
    const std::int64_t shares = blocks(plan, packed);
    float* partials = workspace + 2 * size.batch * shares;
    const GramLossStage stage{{loss, reinterpret_cast<double*>(workspace), blocks_done, scale.loss},
                              matrix,
                              gram_partials(partials, plan, size),
                              target,
                              scale,
                              static_cast<int>(size.batch),
                              static_cast<int>(shares)};
    const auto run = plan.tile == 64
                         ? packed ? launch_tiles<T, 64, true> : launch_tiles<T, 64, false>
                     : packed ? launch_tiles<T, 128, true>
                              : launch_tiles<T, 128, false>;
    run(features, plan, size, partials, stage, stream);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
