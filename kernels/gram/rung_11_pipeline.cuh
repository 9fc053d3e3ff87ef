// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/persistent.cuh"
#include "kernels/gram/rung_9_tensor_cores.cuh"
#include "kernels/gram/swizzled_slice.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Stages of the pipeline. One has 16 KB in the tile of 128, and 4 KB in the tile of 64, where it takes
/// more of them: all blocks of an SM together have to keep some 20 KB on their way (an H100: 25 GB/s
/// for an SM, which arrive after 0.7 µs).
template <int tile>
inline constexpr int gram_stages = tile == 64 ? 6 : 3;

/// Bytes of shared memory: 48 KB for the tile of 128, so that two blocks fit on an SM from sm_80
/// on, and 24 KB for the tile of 64, which is always on the diagonal.
template <int tile>
inline constexpr std::size_t gram_shared_bytes = gram_stages<tile>*(tile == 64 ? 1 : 2) * tile * 64;

/// Rung 10 with loads that run while it multiplies: the slices of pixels go through a pipeline of
/// stages of shared memory, and all but one are on their way while that one is multiplied. Attacks the
/// time that memory idles. `packed` copies 16 bytes by cp.async, from global to shared memory
/// without a register between; maps that do not allow it are read value by value.
///
/// A block sums one work tile after the other, and the pipeline goes on from one to the next. On
/// the diagonal both factors are the same slice, so up to C = 128 the feature map is read once and
/// the whole square is computed: bound by memory, C FLOP per byte.
template <class T, int tile, bool packed>
__device__ __forceinline__ void gram_pipeline_tiles(float* partials, const T* features,
                                                    const GramWork& work) {
  using Slice = GramSwizzledSlice<T, tile>;
  constexpr int threads = 2 * tile;
  constexpr int stages = gram_stages<tile>;
  constexpr int width = widest<T>;
  constexpr bool only_diagonal = tile == 64;

  const int C = work.channels;
  T* row_slices = simt::dynamic_shared<T>();
  T* column_slices = only_diagonal ? row_slices : row_slices + stages * Slice::values;

  // This thread copies one chunk of every `step`-th pixel.
  constexpr int step = threads / Slice::chunks;
  static_assert(step % 8 == 0, "the chunks of all its pixels are swizzled alike");
  const int own_pixel = static_cast<int>(threadIdx.x) / Slice::chunks;
  const int own_channel = static_cast<int>(threadIdx.x) % Slice::chunks * width;
  const int own_place = Slice::at(own_pixel, own_channel);
  const auto load = [&](T* to, const T* own_pixels, int pixels_left, int first_channel) {
    const int left = C - first_channel - own_channel;
#pragma unroll
    for (int l = 0; l < Slice::pixels / step; ++l) {
      const bool inside = l * step < pixels_left && left > 0;
      const T* from = inside ? own_pixels + std::int64_t{l * step} * C + first_channel : features;
      T* place_of_chunk = to + own_place + l * step * tile;
      if constexpr (packed) {
        simt::cp_async_16(place_of_chunk, from, inside ? 16 : 0);
      } else {
        Pack<T, width> values;
#pragma unroll
        for (int v = 0; v < width; ++v) values.values[v] = inside && v < left ? from[v] : T{};
        store_pack<width>(place_of_chunk, values);
      }
    }
  };
  // The work tile that is being loaded, and the next slice to load of it.
  unsigned next_index = blockIdx.x;
  GramWorkTile next = gram_work_tile<tile>(work, next_index);
  int next_pixel = 0;
  const auto load_next = [&](int stage) {
    if (next_index < work.count) {
      const T* own_pixels =
          features + next.first + std::int64_t{next_pixel + own_pixel} * C + own_channel;
      const int left = next.pixels - next_pixel - own_pixel;
      load(row_slices + stage * Slice::values, own_pixels, left, next.row);
      if (!only_diagonal && next.row != next.column) {
        load(column_slices + stage * Slice::values, own_pixels, left, next.column);
      }
      next_pixel += Slice::pixels;
      if (next_pixel >= next.pixels) {
        next_index += gridDim.x;
        next_pixel = 0;
        if (next_index < work.count) next = gram_work_tile<tile>(work, next_index);
      }
    }
    simt::cp_async_commit_group();
  };

  for (int stage = 0; stage < stages - 1; ++stage) load_next(stage);
  int stage = 0;
  for (unsigned index = blockIdx.x; index < work.count; index += gridDim.x) {
    const GramWorkTile place = gram_work_tile<tile>(work, index);
    const T* columns = only_diagonal || place.row == place.column ? row_slices : column_slices;
    GramWarpTile<T, tile> warp_tile;
    for (int p = 0; p < place.pixels; p += Slice::pixels) {
      simt::cp_async_wait_group<stages - 2>();
      __syncthreads();
      load_next(stage == 0 ? stages - 1 : stage - 1);
      if (warp_tile.active(place, C)) {
        warp_tile.template multiply<Slice>(row_slices + stage * Slice::values,
                                           columns + stage * Slice::values);
      }
      stage = stage == stages - 1 ? 0 : stage + 1;
    }
    warp_tile.store(partials + place.partial, place, C);
  }
}

template <class T, int tile, bool packed>
__global__ void __launch_bounds__(2 * tile, packed ? 2 : 1)
    gram_pipeline_kernel(float* partials, const T* features, GramWork work) {
  gram_pipeline_tiles<T, tile, packed>(partials, features, work);
}

/// Launches it. Each work tile has its own block, unless blocks are persistent.
template <bool persistent>
struct GramPipelineOf : GramTwoStages<GramPipelineOf<persistent>> {
  template <class T, int tile>
  static void launch_tiles(float* partials, const T* features, const GramPlan& plan,
                           const MapSize& size, simt::StreamHandle stream) {
    const bool packed = can_pack<T>(widest<T>, size.channels, {features});
    const auto kernel =
        packed ? gram_pipeline_kernel<T, tile, true> : gram_pipeline_kernel<T, tile, false>;
    simt::Grid grid = gram_grid("gram_pipeline", plan, size);
    grid.shared_bytes = gram_shared_bytes<tile>;
    if constexpr (persistent) {
      launch_persistent(kernel, grid, stream, partials, features, gram_work(plan, size));
    } else {
      simt::launch(kernel, grid, stream, partials, features, gram_work(plan, size));
    }
  }
};

using GramPipeline = GramPipelineOf<false>;

}  // namespace impasto::kernels::IMPASTO_DEVICE
