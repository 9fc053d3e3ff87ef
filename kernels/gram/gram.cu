// SPDX-License-Identifier: MIT
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/gram/gram.hpp"
#include "kernels/gram/gram_fp32.cuh"
#include "kernels/gram/gram_mma.cuh"
#include "kernels/gram/gram_plan.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;

/// The second stage: G from the partial sums, in an order that the sizes fix. A block's threads are
/// `parts` groups, one value per thread; group q sums the splits q, q + parts, ..., and the first
/// group sums the groups, in their order. With many splits and few values (C = 64: 4096) one thread
/// per value would wait for its loads one after the other. A value off the diagonal's tiles is
/// written twice, as G[i,j] and G[j,i]: a product with itself needs only its upper triangle. Bound
/// by memory, and that is mostly the L2 cache: 4 bytes read per value and split.
template <int tile>
__global__ void __launch_bounds__(threads)
    gram_sum_kernel(float* gram, const float* partials, std::int64_t channels, std::int64_t tiles,
                    std::int64_t splits, int parts) {
  SIMT_SHARED(float, sums, [threads]);
  const int group_size = threads / parts;
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
  if (part != 0 || !inside) return;
  for (int other = 1; other < parts; ++other) sum += sums[other * group_size + t];
  float* image = gram + blockIdx.y * channels * channels;
  image[i * channels + j] = sum;
  if (tile_row != tile_column) image[j * channels + i] = sum;
}

template <class T, int tile, bool packed>
void sum_over_splits(float* partials, const T* features, const GramPlan& plan, const MapSize& size,
                     Arithmetic arithmetic, Stream stream) {
  const GramSplit split{size.pixels(), plan.partials, static_cast<int>(plan.pixels_per_split),
                        static_cast<int>(size.channels)};
  simt::Grid grid{"gram_fp32",
                  {static_cast<unsigned>(plan.tiles), static_cast<unsigned>(plan.splits),
                   static_cast<unsigned>(size.batch)},
                  {2 * tile}};
  if (arithmetic == Arithmetic::fp32) {
    simt::launch(gram_fp32_kernel<T, tile, packed>, grid, stream, partials, features, split);
  } else {
    grid.name = "gram_mma";
    grid.shared_bytes = gram_shared_bytes<tile>;
    simt::launch(gram_mma_kernel<T, tile, packed>, grid, stream, partials, features, split);
  }
}

template <class T, int tile>
void gram_in_tiles(float* gram, const T* features, const GramPlan& plan, const MapSize& size,
                   Arithmetic arithmetic, float* workspace, Stream stream) {
  if (can_pack<T>(widest<T>, size.channels, {features})) {
    sum_over_splits<T, tile, true>(workspace, features, plan, size, arithmetic, stream);
  } else {
    sum_over_splits<T, tile, false>(workspace, features, plan, size, arithmetic, stream);
  }
  int parts = 1;
  while (parts < 8 && parts * 8 < plan.splits) parts *= 2;
  const std::int64_t blocks = plan.tiles * tile * tile * parts / threads;
  const simt::Grid grid{
      "gram_sum", {static_cast<unsigned>(blocks), static_cast<unsigned>(size.batch)}, {threads}};
  simt::launch(gram_sum_kernel<tile>, grid, stream, gram, workspace, size.channels, plan.tiles,
               plan.splits, parts);
}

}  // namespace

std::int64_t gram_workspace(const MapSize& size) { return size.batch * GramPlan(size).partials; }

template <class T>
void gram(float* gram, const T* features, const MapSize& size, Arithmetic arithmetic,
          float* workspace, Stream stream) {
  const GramPlan plan(size);
  if (plan.tile == 64) {
    gram_in_tiles<T, 64>(gram, features, plan, size, arithmetic, workspace, stream);
  } else {
    gram_in_tiles<T, 128>(gram, features, plan, size, arithmetic, workspace, stream);
  }
}

template void gram(float*, const float*, const MapSize&, Arithmetic, float*, Stream);
template void gram(float*, const bfloat16*, const MapSize&, Arithmetic, float*, Stream);
template void gram(float*, const float16*, const MapSize&, Arithmetic, float*, Stream);

}  // namespace impasto::kernels::IMPASTO_DEVICE
