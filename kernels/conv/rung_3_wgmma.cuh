// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/persistent.cuh"
#include "kernels/common/sm90.cuh"
#include "kernels/conv/rung_2_tensor_cores.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace conv_wgmma {

using conv_tile::chunks;
using conv_tile::columns;
using conv_tile::slice;
using conv_tile::taps;

inline constexpr int warpgroups = 2;
inline constexpr int threads = warpgroups * 128 + 32;
inline constexpr int tile_width = 8;  // pixels
inline constexpr int tile_rows = 16;
/// A row of a box has 8 pixels, 1024 bytes, after which the swizzle repeats: a factor may begin at
/// any of them.
inline constexpr int row_bytes = tile_width * 128;
inline constexpr int box_rows = tile_rows + 2;
inline constexpr int box_bytes = box_rows * row_bytes;
inline constexpr int tap_bytes = columns * 128;
/// What fits beside the filters of one or two slices, 72 KB or 144 KB.
template <int slices>
inline constexpr int stages = slices == 1 ? 6 : 4;
template <int slices>
constexpr std::size_t shared_bytes() {
  constexpr int boxes = stages<slices>;
  constexpr int barrier_bytes = 2 * static_cast<int>(sizeof(simt::Mbarrier));
  return slices * taps * tap_bytes + boxes * (box_bytes + barrier_bytes);
}

/// The first pixel of a work tile.
struct Place {
  int left;
  int top;
};
__device__ __forceinline__ Place place_of(int tile, int tiles_across) {
  return {tile % tiles_across * tile_width, tile / tiles_across * tile_rows};
}

/// Rung 2 with Hopper's TMA for the map and wgmma for the products. Attacks instruction issue, and
/// what rung 2 reads again: the filters of a block's 64 channels stay in shared memory, from one tile
/// to the next.
///
/// A persistent block takes tiles of 8×16 pixels. One thread of a ninth warp is the producer: it
/// loads the tile and its border three times, shifted by a pixel each, 18 KB a load, since a factor
/// begins where the swizzle repeats. A load serves the three taps of its column of the filter,
/// whose A factors begin a row apart. Two warpgroups take the tiles in turns, so that one multiplies
/// while the other stores: 128 pixels in two products of 64, with 64 channels in registers.
///
/// Bound by the L2 cache, which brings each tile three times, and by shared memory and tensor cores
/// nearly as much: a product of 64×64×16 takes 32 cycles of an H100's tensor cores and reads 4 KB, in
/// 32 cycles; loads add 19 %. With filters as the factor of 64 rows and 128 pixels as columns it would
/// read 3 KB, but a lane would hold two channels of 64 pixels and could not store them in packs.
template <class T, int slices>
__global__ void __launch_bounds__(threads, 1)
    conv_wgmma_kernel(ConvWork<T> work, const __grid_constant__ simt::TensorMap boxes,
                      int tiles_across, int tiles) {
  constexpr int width = widest<T>;
  constexpr int tile_stages = 3 * slices;
  constexpr int halves = tile_rows / 8;  // products of 64 pixels
  constexpr int from_channels = slices * slice;
  auto* filters = simt::dynamic_shared<unsigned char>();
  unsigned char* maps = filters + slices * taps * tap_bytes;
  auto* full = reinterpret_cast<simt::Mbarrier*>(maps + stages<slices> * box_bytes);
  simt::Mbarrier* free = full + stages<slices>;
  const std::int64_t to_channels = work.size.out_channels;
  const int first_column = static_cast<int>(blockIdx.y) * columns;
  const int first_tile = static_cast<int>(blockIdx.x);
  const int next_tile = static_cast<int>(gridDim.x);

  // fence_async_proxy below lets TMA see the barriers too.
  if (threadIdx.x == 0) init_stages<stages<slices>>(full, 4 * warpgroups);
  for (int i = static_cast<int>(threadIdx.x); i < slices * taps * columns * chunks; i += threads) {
    // In the order in which a channel's filter lies in memory.
    const int chunk = i % chunks;
    const int s = i / chunks % slices;
    const int tap = i / chunks / slices % taps;
    const int channel = i / chunks / slices / taps;
    const T* from = work.filters +
                    (std::int64_t{first_column + channel} * taps + tap) * from_channels +
                    s * slice + chunk * width;
    T* to = reinterpret_cast<T*>(filters + (s * taps + tap) * tap_bytes);
    simt::cp_async_16(to + conv_tile::chunk_at<T>(conv_tile::filter_row(channel), chunk), from);
  }
  simt::cp_async_commit_group();
  simt::cp_async_wait_group<0>();
  simt::fence_async_proxy();
  __syncthreads();

  const int warp = static_cast<int>(threadIdx.x / 32);
  const int lane = static_cast<int>(threadIdx.x % 32);
  PipelineState<stages<slices>> pipeline;
  if (warp == 4 * warpgroups) {
    if (lane != 0) return;
    for (int tile = first_tile; tile < tiles; tile += next_tile) {
      const Place place = place_of(tile, tiles_across);
      for (int load = 0; load < tile_stages; ++load) {
        wait(free[pipeline.stage], pipeline.parity ^ 1U);
        arrive_expect_tx(full[pipeline.stage], box_bytes);
        simt::tma_load(maps + pipeline.stage * box_bytes, boxes, load / 3 * slice,
                       place.left - 1 + load % 3, place.top - 1, full[pipeline.stage]);
        pipeline.advance();
      }
    }
    return;
  }

  const int group = warp / 4;
  // The loads of another group's tiles are released as well: parities alone would not tell a group
  // that has not looked at a barrier for two phases where it stands.
  const auto pass = [&] {
    for (int load = 0; load < tile_stages; ++load) {
      wait(full[pipeline.stage], pipeline.parity);
      if (lane == 0) arrive(free[pipeline.stage]);
      pipeline.advance();
    }
  };
  const int c = first_column + lane % 4 * 8;
  for (int tile = first_tile, turn = 0; tile < tiles; tile += next_tile, ++turn) {
    if (turn % warpgroups != group) {
      pass();
      continue;
    }
    float sum[halves][columns / 2];
#pragma unroll
    for (int v = 0; v < columns / 2; ++v) {
      const int channel = c + v / 16 * 32 + v / 4 % 4 * 2 + v % 2;
      const float first = work.bias == nullptr ? 0.0F : work.bias[channel];
#pragma unroll
      for (int half = 0; half < halves; ++half) sum[half][v] = first;
    }
    for (int load = 0; load < tile_stages; ++load) {
      wait(full[pipeline.stage], pipeline.parity);
      const unsigned char* map = maps + pipeline.stage * box_bytes;
      const unsigned char* tap = filters + (load / 3 * taps + load % 3) * tap_bytes;
#pragma unroll
      for (int half = 0; half < halves; ++half) simt::wgmma_fence(sum[half]);
#pragma unroll
      for (int r = 0; r < 3; ++r) {
#pragma unroll
        for (int k = 0; k < 128; k += 32) {
#pragma unroll
          for (int half = 0; half < halves; ++half) {
            simt::wgmma<element_of<T>, simt::Major::k>(
                sum[half], simt::matrix_descriptor(map + (8 * half + r) * row_bytes + k),
                simt::matrix_descriptor(tap + 3 * r * tap_bytes + k), true);
          }
        }
      }
      simt::wgmma_commit_group();
#pragma unroll
      for (int half = 0; half < halves; ++half) simt::wgmma_wait_group<0>(sum[half]);
      if (lane == 0) arrive(free[pipeline.stage]);
      pipeline.advance();
    }
    const Place place = place_of(tile, tiles_across);
    const int w = place.left + lane / 4;
#pragma unroll
    for (int half = 0; half < halves; ++half) {
      HeldPack<T, width> held[2][2];
      const auto each_pack = [&](auto visit) {
#pragma unroll
        for (int row = 0; row < 2; ++row) {
          const int h = place.top + 8 * half + warp % 4 * 2 + row;
          const std::int64_t at = (h * work.size.width + w) * to_channels + c;
#pragma unroll
          for (int part = 0; part < 2; ++part) {
            visit(row, part, at + 32 * part, h < work.size.height && w < work.size.width);
          }
        }
      };
      each_pack([&](int row, int part, std::int64_t at, bool inside) {
        held[row][part] = hold_pack<width>(work.to, work.features, at, inside, work.epilogue);
      });
      each_pack([&](int row, int part, std::int64_t at, bool inside) {
        float values[width];
#pragma unroll
        for (int v = 0; v < width; ++v) {
          const float value = sum[half][4 * (4 * part + v / 2) + 2 * row + v % 2];
          values[v] = work.relu && value < 0 ? 0.0F : value;
        }
        join_pack(work.to, at, inside, held[row][part], values, work.epilogue);
      });
    }
  }
}

}  // namespace conv_wgmma

/// For up to 128 channels, whose filters fit in shared memory. A launch for each image: outside its
/// own map TMA loads zeros.
struct ConvWgmma {
  template <class T, int slices>
  static void launch_image(const ConvWork<T>& work, simt::StreamHandle stream) {
    using namespace conv_wgmma;
    const auto tiles = [](std::int64_t pixels, int side) {
      return static_cast<unsigned>((pixels + side - 1) / side);
    };
    const unsigned across = tiles(work.size.width, tile_width);
    const unsigned count = across * tiles(work.size.height, tile_rows);
    const simt::Grid grid{"conv_wgmma",
                          {count, static_cast<unsigned>(work.size.out_channels / columns)},
                          {threads},
                          shared_bytes<slices>()};
    const auto extent = [](std::int64_t size) { return static_cast<std::uint64_t>(size); };
    const simt::TensorBox box{
        {extent(work.size.in_channels), extent(work.size.width), extent(work.size.height)},
        {slice, tile_width, box_rows}};
    launch_persistent(conv_wgmma_kernel<T, slices>, grid, stream, work,
                      simt::make_tensor_map(work.from, element_of<T>, box),
                      static_cast<int>(across), static_cast<int>(count));
  }

  template <class T>
  static void run(const ConvWork<T>& work, simt::StreamHandle stream) {
    const ConvSize& size = work.size;
    if (!conv_tile::suits(work) || size.in_channels > 2 * conv_tile::slice) {
      ConvTensorCores::run(work, stream);
      return;
    }
    const auto launch =
        size.in_channels == conv_tile::slice ? &launch_image<T, 1> : &launch_image<T, 2>;
    ConvWork<T> image = work;
    image.size.batch = 1;
    const std::int64_t pixels = size.height * size.width;
    for (std::int64_t n = 0; n < size.batch; ++n) {
      launch(image, stream);
      image.from += pixels * size.in_channels;
      image.to += pixels * size.out_channels;
      if (image.features != nullptr) image.features += pixels * size.out_channels;
    }
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
