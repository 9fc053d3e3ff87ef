// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/pack.cuh"
#include "kernels/gram/gram_plan.hpp"
#include "kernels/gram/gram_tile.cuh"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

inline constexpr int gram_sum_threads = 256;

/// `width` neighbouring values of a row of G from [i,j] on, and whether this thread owns them.
template <int width>
struct GramValues {
  Pack<float, width> sum;
  std::int64_t i, j;
  bool own;       ///< this thread stores those that lie in G
  bool mirrored;  ///< they are also G[j,i] and those below it, whose tile nobody computes
};

/// What the second stage adds.
struct GramPartials {
  const float* values;
  std::int64_t channels;
  std::int64_t tiles;
  std::int64_t splits;
  int parts;  ///< groups of threads that share the splits
};

/// This thread's values, summed from the partial sums in an order that the sizes fix. A block's
/// threads form `parts` groups, each with as many packs of `width` values as it has threads. Group q
/// sums the splits q, q + parts, ..., and the first group adds the groups in their order. With many
/// splits and few values (4096 at C = 64) a single group would wait for its loads one after the
/// other. `block` counts the blocks' shares of an image; `sums` is shared memory, a pack for each
/// thread, and there must be a barrier between two uses.
template <int tile, int width>
__device__ __forceinline__ GramValues<width> gram_values(Pack<float, width>* sums,
                                                         const GramPartials& partials,
                                                         std::int64_t block, std::int64_t image) {
  const std::int64_t channels = partials.channels;
  const int parts = partials.parts;
  const int group_size = static_cast<int>(blockDim.x) / parts;
  const int t = static_cast<int>(threadIdx.x);
  const int part = t / group_size;
  const std::int64_t index = (block * group_size + t % group_size) * width;
  unsigned tile_row = 0;
  unsigned tile_column = 0;
  tile_coordinates(static_cast<unsigned>(index / (tile * tile)),
                   static_cast<unsigned>((channels + tile - 1) / tile), tile_row, tile_column);
  const std::int64_t i = tile_row * tile + index % (tile * tile) / tile;
  const std::int64_t j = tile_column * tile + index % tile;
  const bool inside = i < channels && j < channels;

  Pack<float, width> sum{};
  const auto add = [&](const Pack<float, width>& more) {
#pragma unroll
    for (int v = 0; v < width; ++v) sum.values[v] += more.values[v];
  };
  if (inside) {
    const std::int64_t per_split = partials.tiles * tile * tile;
    const float* from = partials.values + image * partials.splits * per_split + index;
#pragma unroll 8
    for (std::int64_t split = part; split < partials.splits; split += parts) {
      add(load_pack<width>(from + split * per_split));
    }
  }
  store_pack<width>(sums[t].values, sum);
  __syncthreads();
  const bool own = part == 0 && inside;
  if (own) {
    for (int other = 1; other < parts; ++other) {
      add(load_pack<width>(sums[other * group_size + t].values));
    }
  }
  return {sum, i, j, own, tile_row != tile_column};
}

/// The second stage: adds the partial sums to G. Only tiles of the upper triangle are computed, so
/// a value off the diagonal's tiles is stored twice. Bound by memory, mostly by the L2 cache: 4
/// bytes read per value and split.
template <int tile>
__global__ void __launch_bounds__(gram_sum_threads)
    gram_sum_kernel(float* gram, GramPartials partials) {
  using One = Pack<float, 1>;
  SIMT_SHARED(One, sums, [gram_sum_threads]);
  const auto value = gram_values<tile, 1>(sums, partials, blockIdx.x, blockIdx.y);
  if (!value.own) return;
  float* image = gram + blockIdx.y * partials.channels * partials.channels;
  image[value.i * partials.channels + value.j] = value.sum.values[0];
  if (value.mirrored) image[value.j * partials.channels + value.i] = value.sum.values[0];
}

/// Groups of threads that share so many splits in the second stage.
inline int gram_sum_parts(std::int64_t splits) {
  int parts = 1;
  while (parts < 8 && parts * 8 < splits) parts *= 2;
  return parts;
}
inline GramPartials gram_partials(const float* values, const GramPlan& plan, const MapSize& size) {
  return {values, size.channels, plan.tiles, plan.splits, gram_sum_parts(plan.splits)};
}
/// The second stage's blocks for each image, of so many values and parts of them, and its grid.
inline std::int64_t gram_sum_blocks(const GramPlan& plan, int values = gram_sum_threads) {
  return plan.tiles * plan.tile * plan.tile * gram_sum_parts(plan.splits) / values;
}
inline simt::Grid gram_sum_grid(const char* name, const GramPlan& plan, const MapSize& size) {
  const auto blocks = static_cast<unsigned>(gram_sum_blocks(plan));
  return {name, {blocks, static_cast<unsigned>(size.batch)}, {gram_sum_threads}};
}

inline void launch_gram_sum(float* gram, const float* partials, const GramPlan& plan,
                            const MapSize& size, simt::StreamHandle stream) {
  simt::launch(plan.tile == 64 ? gram_sum_kernel<64> : gram_sum_kernel<128>,
               gram_sum_grid("gram_sum", plan, size), stream, gram,
               gram_partials(partials, plan, size));
}

inline GramWork gram_work(const GramPlan& plan, const MapSize& size) {
  return {size.pixels(),
          plan.partials,
          static_cast<int>(plan.pixels_per_split),
          static_cast<int>(size.channels),
          static_cast<unsigned>(plan.tiles),
          static_cast<unsigned>(plan.splits),
          static_cast<unsigned>(plan.tiles * plan.splits * size.batch)};
}
/// The grid of a first stage: one block for each work tile.
inline simt::Grid gram_grid(const char* name, const GramPlan& plan, const MapSize& size) {
  return {name, {gram_work(plan, size).count}, {static_cast<unsigned>(2 * plan.tile)}};
}

/// A rung with two stages. FirstStage::launch_tiles<T, tile> launches the first one. gram_loss runs
/// the same first stage before a second stage of its own.
template <class FirstStage>
struct GramTwoStages {
  static std::int64_t workspace(const MapSize& size) {
    return size.batch * GramPlan(size).partials;
  }

  template <class T>
  static void launch_partials(float* partials, const T* features, const MapSize& size,
                              simt::StreamHandle stream) {
    const GramPlan plan(size);
    if (plan.tile == 64) {
      FirstStage::template launch_tiles<T, 64>(partials, features, plan, size, stream);
    } else {
      FirstStage::template launch_tiles<T, 128>(partials, features, plan, size, stream);
    }
  }

  template <class T>
  static void launch(float* gram, const T* features, const MapSize& size, float* workspace,
                     simt::StreamHandle stream) {
    launch_partials(workspace, features, size, stream);
    launch_gram_sum(gram, workspace, GramPlan(size), size, stream);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
