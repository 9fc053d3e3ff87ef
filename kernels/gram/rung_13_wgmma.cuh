// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/sm90.cuh"
#include "kernels/gram/rung_12_persistent.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// 64 pixels of 64 channels: the box of one TMA load.
inline constexpr int gram_box_pixels = 64;
inline constexpr int gram_box_bytes = gram_box_pixels * 128;
template <int tile>
inline constexpr int gram_wgmma_stages = tile == 64 ? 6 : 3;
/// A stage has the boxes of a tile's rows, then those of its columns, which are the same in the
/// tile of 64: it is always on the diagonal.
template <int tile>
inline constexpr int gram_stage_bytes = (tile == 64 ? 1 : 2 * tile / 64) * gram_box_bytes;
template <int tile>
inline constexpr int gram_wgmma_shared_bytes =
    gram_wgmma_stages<tile>*(gram_stage_bytes<tile> + 2 * static_cast<int>(sizeof(simt::Mbarrier)));

/// Rung 12 with Hopper's TMA for the loads and wgmma for the products. Attacks instruction issue:
/// in rung 12 a thread computes an address for every 16 bytes that it copies, and every factor goes
/// through registers; here one thread loads 8 KB at a time, and wgmma reads shared memory, where a
/// row holds one pixel (MN-major). Bound by memory, as before, with 48 KB under way in a block of
/// the tile of 64 and 96 KB in a block of the tile of 128, two blocks for each SM.
///
/// Blocks are persistent, as in rung 12. One warp is the producer: one of its threads waits until a
/// stage is free and starts its loads, as far ahead as there are stages. The other warps are
/// warpgroups of 64 rows of the tile each, with the sums of all columns in registers: they wait for
/// a stage, multiply it and release it, without a barrier among themselves. 16-bit values only: in
/// tf32 wgmma takes no MN-major factors.
template <class T, int tile>
__global__ void __launch_bounds__(2 * tile + 32, 2)
    gram_wgmma_kernel(float* partials, const __grid_constant__ simt::TensorMap features,
                      GramWork work) {
  constexpr int stages = gram_wgmma_stages<tile>;
  constexpr int boxes = tile / 64;
  constexpr int warps = tile / 16;  // of the warpgroups
  static_assert(tile == 64 || tile == 128);
  auto* slices = simt::dynamic_shared<unsigned char>();
  auto* full = reinterpret_cast<simt::Mbarrier*>(slices + stages * gram_stage_bytes<tile>);
  simt::Mbarrier* free = full + stages;
  if (threadIdx.x == 0) {
    init_stages<stages>(full, warps);
    simt::fence_barriers();
  }
  __syncthreads();

  const int warp = static_cast<int>(threadIdx.x / 32);
  const int lane = static_cast<int>(threadIdx.x % 32);
  PipelineState<stages> pipeline;
  if (warp == warps) {
    if (lane != 0) return;
    for (unsigned index = blockIdx.x; index < work.count; index += gridDim.x) {
      const GramWorkTile place = gram_work_tile<tile>(work, index);
      const bool diagonal = tile == 64 || place.row == place.column;
      const unsigned bytes = (diagonal ? 1 : 2) * boxes * gram_box_bytes;
      for (int p = 0; p < place.pixels; p += gram_box_pixels) {
        wait(free[pipeline.stage], pipeline.parity ^ 1U);
        arrive_expect_tx(full[pipeline.stage], bytes);
        unsigned char* to = slices + pipeline.stage * gram_stage_bytes<tile>;
        const auto copy = [&](int first_channel) {
          for (int box = 0; box < boxes; ++box) {
            simt::tma_load(to, features, first_channel + 64 * box, place.first_pixel + p,
                           place.image, full[pipeline.stage]);
            to += gram_box_bytes;
          }
        };
        copy(place.row);
        if (!diagonal) copy(place.column);
        pipeline.advance();
      }
    }
    return;
  }

  const int group = warp / 4;
  for (unsigned index = blockIdx.x; index < work.count; index += gridDim.x) {
    const GramWorkTile place = gram_work_tile<tile>(work, index);
    const bool diagonal = tile == 64 || place.row == place.column;
    const int columns_at = diagonal ? 0 : boxes * gram_box_bytes;
    float sum[tile / 2];
    for (int p = 0; p < place.pixels; p += gram_box_pixels) {
      wait(full[pipeline.stage], pipeline.parity);
      const unsigned char* slice = slices + pipeline.stage * gram_stage_bytes<tile>;
      const unsigned char* rows = slice + group * gram_box_bytes;
      const unsigned char* columns = slice + columns_at;
      simt::wgmma_fence(sum);
#pragma unroll
      for (int k = 0; k < gram_box_pixels; k += 16) {
        simt::wgmma<element_of<T>, simt::Major::mn>(
            sum, simt::matrix_descriptor(rows + k * 128),
            simt::matrix_descriptor(columns + k * 128, gram_box_bytes), p + k > 0);
      }
      simt::wgmma_commit_group();
      simt::wgmma_wait_group<0>(sum);
      if (lane == 0) arrive(free[pipeline.stage]);
      pipeline.advance();
    }

    float* partial = partials + place.partial;
    const int i0 = 16 * warp + lane / 4;
#pragma unroll
    for (int v = 0; v < tile / 2; ++v) {
      const int i = i0 + v / 2 % 2 * 8;
      const int j = v / 4 * 8 + 2 * (lane % 4) + v % 2;
      if (place.row + i < work.channels && place.column + j < work.channels) {
        partial[i * tile + j] = sum[v];
      }
    }
  }
}

struct GramWgmma : GramTwoStages<GramWgmma> {
  template <class T, int tile>
  static void launch_tiles(float* partials, const T* features, const GramPlan& plan,
                           const MapSize& size, simt::StreamHandle stream) {
    if (!can_pack<T>(widest<T>, size.channels, {features})) {
      GramPersistent::launch_tiles<T, tile>(partials, features, plan, size, stream);
      return;
    }
    simt::Grid grid = gram_grid("gram_wgmma", plan, size);
    grid.threads.x = 2 * tile + 32;
    grid.shared_bytes = gram_wgmma_shared_bytes<tile>;
    launch_persistent(gram_wgmma_kernel<T, tile>, grid, stream, partials,
                      make_tensor_map(features, size, gram_box_pixels), gram_work(plan, size));
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
