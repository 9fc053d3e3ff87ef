// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/sm90.cuh"
#include "kernels/style_backward/rung_3_tensor_cores.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

inline constexpr int style_wgmma_threads = 2 * 128 + 32;
inline constexpr int feature_box_bytes = style_backward_rows * 128;
template <int columns>
inline constexpr int matrix_box_bytes = columns * 128;
/// Blocks per SM. Two of 128 columns would leave 96 registers a thread, and the sums alone take 64;
/// one block has twice the stages instead.
template <int columns>
inline constexpr int style_wgmma_blocks = columns == 64 ? 2 : 1;
template <int columns>
inline constexpr int style_wgmma_stages = 6 / style_wgmma_blocks<columns>;

/// Rung 3 with Hopper's TMA for the loads and wgmma for the products. Attacks instruction issue: in
/// rung 3 a thread computes an address for every 16 bytes that it copies, and factors go through
/// registers. Bound by memory, as rung 3.
///
/// A persistent block computes tiles of 128 pixels × `columns` channels. One thread of a ninth warp
/// is the producer: it loads 64 channels of F at a time to a free stage, and of M as well unless
/// all of M is `resident` (C ≤ 128). Two warpgroups have 64 pixels of the tile each, with all
/// columns in registers. The columns of M are stored in `grouped` order, in which a lane's results
/// of four neighbouring products are eight neighbouring columns, so that it reads and writes the
/// gradient in packs, as in rung 3. 16-bit values only: wgmma truncates floats in shared memory to
/// tf32, which would bias the gradient towards zero.
template <class T, int columns>
__global__ void __launch_bounds__(style_wgmma_threads, style_wgmma_blocks<columns>)
    style_backward_wgmma_kernel(T* grad, const T* features, const float* scales,
                                const __grid_constant__ simt::TensorMap feature_boxes,
                                const __grid_constant__ simt::TensorMap matrix_boxes,
                                std::int64_t pixels, int channels, bool resident,
                                GradientEpilogue epilogue) {
  constexpr int rows = style_backward_rows;
  constexpr int stages = style_wgmma_stages<columns>;
  constexpr int warps = 8;  // of the two warpgroups
  static_assert(columns == 64 || columns == 128);
  const int slices = (channels + 63) / 64;
  const int matrix_slices = resident ? slices : stages;
  const int first_channel = static_cast<int>(blockIdx.y) * columns;
  const int image = static_cast<int>(blockIdx.z);
  const int first_tile = static_cast<int>(blockIdx.x);
  const int tiles = static_cast<int>((pixels + rows - 1) / rows);
  auto* feature_tiles = simt::dynamic_shared<unsigned char>();
  unsigned char* matrix_tiles = feature_tiles + stages * feature_box_bytes;
  auto* full =
      reinterpret_cast<simt::Mbarrier*>(matrix_tiles + matrix_slices * matrix_box_bytes<columns>);
  simt::Mbarrier* free = full + stages;
  simt::Mbarrier* matrix_there = free + stages;
  if (threadIdx.x == 0) {
    init_stages<stages>(full, warps);
    init(*matrix_there, 1);
    simt::fence_barriers();
  }
  __syncthreads();

  const int warp = static_cast<int>(threadIdx.x / 32);
  const int lane = static_cast<int>(threadIdx.x % 32);
  PipelineState<stages> pipeline;
  if (warp == warps) {
    if (lane != 0) return;
    const auto copy_matrix = [&](int slice, int place, simt::Mbarrier& arrives_at) {
      simt::tma_load(matrix_tiles + place * matrix_box_bytes<columns>, matrix_boxes, 64 * slice,
                     first_channel, image, arrives_at);
    };
    if (resident) {
      arrive_expect_tx(*matrix_there, slices * matrix_box_bytes<columns>);
      for (int s = 0; s < slices; ++s) copy_matrix(s, s, *matrix_there);
    }
    for (int tile = first_tile; tile < tiles; tile += static_cast<int>(gridDim.x)) {
      for (int s = 0; s < slices; ++s) {
        simt::Mbarrier& arrives_at = full[pipeline.stage];
        wait(free[pipeline.stage], pipeline.parity ^ 1U);
        arrive_expect_tx(arrives_at,
                         feature_box_bytes + (resident ? 0 : matrix_box_bytes<columns>));
        simt::tma_load(feature_tiles + pipeline.stage * feature_box_bytes, feature_boxes, 64 * s,
                       tile * rows, image, arrives_at);
        if (!resident) copy_matrix(s, pipeline.stage, arrives_at);
        pipeline.advance();
      }
    }
    return;
  }

  if (resident) wait(*matrix_there, 0);
  for (int tile = first_tile; tile < tiles; tile += static_cast<int>(gridDim.x)) {
    float sum[columns / 2];
    for (int s = 0; s < slices; ++s) {
      wait(full[pipeline.stage], pipeline.parity);
      const unsigned char* f =
          feature_tiles + pipeline.stage * feature_box_bytes + warp / 4 * (64 * 128);
      const unsigned char* m =
          matrix_tiles + (resident ? s : pipeline.stage) * matrix_box_bytes<columns>;
      simt::wgmma_fence(sum);
#pragma unroll
      for (int k = 0; k < 64; k += 16) {
        simt::wgmma<element_of<T>, simt::Major::k>(sum, simt::matrix_descriptor(f + 2 * k),
                                                   simt::matrix_descriptor(m + 2 * k), s + k > 0);
      }
      simt::wgmma_commit_group();
      simt::wgmma_wait_group<0>(sum);
      if (lane == 0) arrive(free[pipeline.stage]);
      pipeline.advance();
    }

    const std::int64_t first_pixel = std::int64_t{tile} * rows + 16 * warp + lane / 4;
    // Groups of 32 columns, as many at once as the registers beside the sums hold packs for.
    constexpr int groups = columns / 64;
#pragma unroll
    for (int first_group = 0; first_group < columns / 32; first_group += groups) {
      HeldPack<T, 8> held[groups][2];
      float scale[groups][8];
      const auto each_pack = [&](auto visit) {
#pragma unroll
        for (int group = 0; group < groups; ++group) {
          const int c = first_channel + 32 * (first_group + group) + lane % 4 * 8;
#pragma unroll
          for (int half = 0; half < 2; ++half) {
            const std::int64_t p = first_pixel + 8 * half;
            visit(group, half, c, (image * pixels + p) * channels + c, p < pixels && c < channels);
          }
        }
      };
      each_pack([&](int group, int half, int c, std::int64_t at, bool inside) {
#pragma unroll
        for (int v = 0; half == 0 && v < 8; ++v) {
          scale[group][v] = c < channels ? scales[std::int64_t{image} * channels + c + v] : 0;
        }
        held[group][half] = hold_pack<8>(grad, features, at, inside, epilogue);
      });
      each_pack([&](int group, int half, int /*c*/, std::int64_t at, bool inside) {
        float values[8];
#pragma unroll
        for (int v = 0; v < 8; ++v) {
          values[v] =
              sum[4 * (4 * (first_group + group) + v / 2) + 2 * half + v % 2] * scale[group][v];
        }
        join_pack(grad, at, inside, held[group][half], values, epilogue);
      });
    }
  }
}

struct StyleBackwardWgmma {
  static std::int64_t workspace(const MapSize& size) {
    return StyleBackwardTensorCores::workspace(size);
  }

  template <class T, int columns>
  static void launch_tiles(T* grad, const T* features, const StyleMatrix& matrix,
                           const MapSize& size, const GradientEpilogue& epilogue, float* workspace,
                           simt::StreamHandle stream) {
    const RoundedMatrix<T> rounded = StyleBackwardTensorCores::round_matrix<T>(
        workspace, matrix, size, ColumnOrder::grouped, stream);
    const int slices = static_cast<int>((size.channels + 63) / 64);
    const bool resident = slices <= 2;
    constexpr int stages = style_wgmma_stages<columns>;
    const int matrix_slices = resident ? slices : stages;
    simt::Grid grid = style_backward_grid("style_backward_wgmma", size, columns);
    grid.threads.x = style_wgmma_threads;
    grid.shared_bytes = static_cast<std::size_t>(
        stages * feature_box_bytes + matrix_slices * matrix_box_bytes<columns> +
        (2 * stages + 1) * static_cast<int>(sizeof(simt::Mbarrier)));
    const MapSize matrix_size{size.batch, 1, size.channels, rounded.padded};
    launch_persistent(style_backward_wgmma_kernel<T, columns>, grid, stream, grad, features,
                      rounded.scales, make_tensor_map(features, size, style_backward_rows),
                      make_tensor_map(rounded.values, matrix_size, columns), size.pixels(),
                      static_cast<int>(size.channels), resident, epilogue);
  }

  template <class T>
  static void launch(T* grad, const T* features, const StyleMatrix& matrix, const MapSize& size,
                     const GradientEpilogue& epilogue, float* workspace,
                     simt::StreamHandle stream) {
    // Columns are grouped in 32s.
    const bool suits = size.channels % 32 == 0 && can_pack<T>(widest<T>, 32, {grad, features});
    const auto run = !suits                ? &StyleBackwardTensorCores::launch<T>
                     : size.channels <= 64 ? &launch_tiles<T, 64>
                                           : &launch_tiles<T, 128>;
    run(grad, features, matrix, size, epilogue, workspace, stream);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
