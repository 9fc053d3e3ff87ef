// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/register_tile.cuh"
#include "kernels/gram/gram_sum.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Rung 7 with the next slice on its way while one is multiplied: to registers, from which it then
/// goes to the other half of the shared memory, so that one barrier a slice is enough. Attacks the
/// wait for each slice, during which rung 7 multiplies nothing. Bound by multiply-adds: a thread
/// loads 64 bytes from shared memory for 64 of them.
///
/// To be under way without many registers, a slice is loaded in packs of 16 bytes. From 16 bits a
/// thread stores a pack as two groups of four floats; in every second 32 channels neighbouring
/// groups are swapped, so that the eight threads of a pass use every bank once instead of every
/// second bank twice. (Where packs are not possible, values are loaded when they are needed, one by
/// one, and no groups are swapped.)
template <class T, int tile, bool packed>
__global__ void __launch_bounds__(2 * tile, packed ? 2 : 1)
    gram_prefetch_kernel(float* partials, const T* features, GramWork work) {
  constexpr int slice = 16;
  constexpr int threads = 2 * tile;
  constexpr int rows = 8;
  constexpr int columns = tile / 16;
  constexpr int row_step = tile / 2;
  constexpr int column_step = tile / (columns / 4);
  constexpr int width = widest<T>;
  constexpr int loads = slice * tile / threads / width;
  constexpr int swizzle = packed && width > 4 ? 4 : 0;
  SIMT_SHARED(float, factors, [2][2][slice][tile]);

  const GramWorkTile place = gram_work_tile<tile>(work, blockIdx.x);
  const int C = work.channels;
  const T* pixels = features + place.first;
  const bool diagonal = place.row == place.column;
  const int t = static_cast<int>(threadIdx.x);
  const int i0 = t / 16 * 4;
  const int j0 = t % 16 * 4;

  // Where a channel of the tile lies in a row, and which channel lies there.
  const auto place_of = [](int channel) { return channel ^ (channel / 32 % 2 * swizzle); };
  const auto load = [&](Pack<T, width>(&packs)[loads], int slice_pixel, int first_channel) {
#pragma unroll
    for (int l = 0; l < loads; ++l) {
      const int index = (l * threads + t) * width;
      const int p = slice_pixel + index / tile;
      const int c = first_channel + index % tile;
      const bool inside = p < place.pixels;
      const T* from = pixels + std::int64_t{p} * C + c;
      if constexpr (packed) {
        packs[l] = inside && c < C ? load_pack<width>(from) : Pack<T, width>{};
      } else {
#pragma unroll
        for (int v = 0; v < width; ++v) {
          packs[l].values[v] = inside && c + v < C ? from[v] : T{};
        }
      }
    }
  };
  const auto keep = [&](float(&to)[slice][tile], const Pack<T, width>(&packs)[loads]) {
#pragma unroll
    for (int l = 0; l < loads; ++l) {
      const int index = (l * threads + t) * width;
#pragma unroll
      for (int v = 0; v < width; v += 4) {
        Pack<float, 4> values;
#pragma unroll
        for (int w = 0; w < 4; ++w) values.values[w] = static_cast<float>(packs[l].values[v + w]);
        store_pack<4>(&to[index / tile][place_of(index % tile + v)], values);
      }
    }
  };

  float sum[rows][columns] = {};
  Pack<T, width> row_packs[loads];
  Pack<T, width> column_packs[loads];
  const bool active = place.row + place_of(i0) < C && place.column + place_of(j0) < C;
  int half = 0;
  const auto load_both = [&](int p) {
    load(row_packs, p, place.row);
    if (!diagonal) load(column_packs, p, place.column);
  };
  if (packed) load_both(0);
  for (int p = 0; p < place.pixels; p += slice) {
    if (!packed) load_both(p);
    keep(factors[half][0], row_packs);
    if (!diagonal) keep(factors[half][1], column_packs);
    __syncthreads();
    if (packed && p + slice < place.pixels) load_both(p + slice);
    if (active) {
#pragma unroll 2
      for (int k = 0; k < slice; ++k) {
        add_outer_product<row_step, column_step>(sum, &factors[half][0][k][i0],
                                                 &factors[half][diagonal ? 0 : 1][k][j0]);
      }
    }
    half = 1 - half;
  }

  float* partial = partials + place.partial;
#pragma unroll
  for (int r = 0; r < rows; ++r) {
    const int i = place_of(i0 + r / 4 * row_step) + r % 4;
    if (place.row + i >= C) continue;
#pragma unroll
    for (int g = 0; g < columns / 4; ++g) {
      const int j = place_of(j0 + g * column_step);
#pragma unroll
      for (int v = 0; v < 4; ++v) {
        if (place.column + j + v < C) {
          partial[i * tile + j + v] = sum[r][4 * g + v];
        }
      }
    }
  }
}

struct GramPrefetch : GramTwoStages<GramPrefetch> {
  template <class T, int tile>
  static void launch_tiles(float* partials, const T* features, const GramPlan& plan,
                           const MapSize& size, simt::StreamHandle stream) {
    const bool packed = can_pack<T>(widest<T>, size.channels, {features});
    simt::launch(
        packed ? gram_prefetch_kernel<T, tile, true> : gram_prefetch_kernel<T, tile, false>,
        gram_grid("gram_prefetch", plan, size), stream, partials, features, gram_work(plan, size));
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
