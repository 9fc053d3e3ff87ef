// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/gram/gram_plan.hpp"
#include "kernels/gram/gram_tile.cuh"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

inline constexpr int gram_sum_threads = 256;

/// One value of G and whether this thread owns it.
struct GramValue {
  float value;
  std::int64_t i, j;
  bool own;       ///< this thread stores it
  bool mirrored;  ///< it is also G[j,i], whose tile nobody computes
};

/// This thread's value, summed from the partial sums in an order that the sizes fix. A block's
/// threads form `parts` groups of 256 / parts values each. Group q sums the splits q, q + parts,
/// ..., and the first group adds the groups in their order. With many splits and few values (4096
/// at C = 64) a single group would wait for its loads one after the other. blockIdx is (values,
/// image).
template <int tile>
__device__ __forceinline__ GramValue gram_value(float (&sums)[gram_sum_threads],
                                                const float* partials, std::int64_t channels,
                                                std::int64_t tiles, std::int64_t splits,
                                                int parts) {
  const int group_size = gram_sum_threads / parts;
  const int t = static_cast<int>(threadIdx.x);
  const int part = t / group_size;
  const std::int64_t index = std::int64_t{blockIdx.x} * group_size + t % group_size;
  unsigned tile_row = 0;
  unsigned tile_column = 0;
  tile_coordinates(static_cast<unsigned>(index / (tile * tile)),
                   static_cast<unsigned>((channels + tile - 1) / tile), tile_row, tile_column);
  const std::int64_t i = tile_row * tile + index % (tile * tile) / tile;
  const std::int64_t j = tile_column * tile + index % tile;
  const bool inside = i < channels && j < channels;

  float sum = 0;
  if (inside) {
    const std::int64_t per_split = tiles * tile * tile;
    const float* from = partials + blockIdx.y * splits * per_split + index;
#pragma unroll 8
    for (std::int64_t split = part; split < splits; split += parts) sum += from[split * per_split];
  }
  sums[t] = sum;
  __syncthreads();
  const bool own = part == 0 && inside;
  if (own) {
    for (int other = 1; other < parts; ++other) sum += sums[other * group_size + t];
  }
  return {sum, i, j, own, tile_row != tile_column};
}

/// The second stage: adds the partial sums to G. Only tiles of the upper triangle are computed, so
/// a value off the diagonal's tiles is stored twice. Bound by memory, mostly by the L2 cache: 4
/// bytes read per value and split.
template <int tile>
__global__ void __launch_bounds__(gram_sum_threads)
    gram_sum_kernel(float* gram, const float* partials, std::int64_t channels, std::int64_t tiles,
                    std::int64_t splits, int parts) {
  SIMT_SHARED(float, sums, [gram_sum_threads]);
  const GramValue sum = gram_value<tile>(sums, partials, channels, tiles, splits, parts);
  if (!sum.own) return;
  float* image = gram + blockIdx.y * channels * channels;
  image[sum.i * channels + sum.j] = sum.value;
  if (sum.mirrored) image[sum.j * channels + sum.i] = sum.value;
}

/// The second stage's groups of threads, its blocks for each image, and its grid.
inline int gram_sum_parts(const GramPlan& plan) {
  int parts = 1;
  while (parts < 8 && parts * 8 < plan.splits) parts *= 2;
  return parts;
}
inline std::int64_t gram_sum_blocks(const GramPlan& plan) {
  return plan.tiles * plan.tile * plan.tile * gram_sum_parts(plan) / gram_sum_threads;
}
inline simt::Grid gram_sum_grid(const char* name, const GramPlan& plan, const MapSize& size) {
  const auto blocks = static_cast<unsigned>(gram_sum_blocks(plan));
  return {name, {blocks, static_cast<unsigned>(size.batch)}, {gram_sum_threads}};
}

inline void launch_gram_sum(float* gram, const float* partials, const GramPlan& plan,
                            const MapSize& size, simt::StreamHandle stream) {
  simt::launch(plan.tile == 64 ? gram_sum_kernel<64> : gram_sum_kernel<128>,
               gram_sum_grid("gram_sum", plan, size), stream, gram, partials, size.channels,
               plan.tiles, plan.splits, gram_sum_parts(plan));
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
