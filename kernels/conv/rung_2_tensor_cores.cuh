// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/mma.cuh"
#include "kernels/conv/rung_1_naive.cuh"
#include "kernels/style_backward/round_matrix.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace conv_tile {

inline constexpr int threads = 256;
inline constexpr int warps = threads / 32;
inline constexpr int side = 16;  // of a block's tile, in pixels
inline constexpr int warp_rows = side / warps;
inline constexpr int halo_side = side + 2;
inline constexpr int halo_pixels = halo_side * halo_side;
inline constexpr int slice = 64;    // channels that are convolved at a time: 128 bytes
inline constexpr int columns = 64;  // channels of the result that a block computes
inline constexpr int chunks = 8;    // of 16 bytes, in a slice
inline constexpr int taps = 9;
inline constexpr int stages = 3;  // of filters

/// What a block keeps in shared memory: a slice of the tile and its border, and one tap of the
/// filters for each stage.
template <class T>
struct Shared {
  T halo[halo_pixels * slice];
  T filters[stages][columns * slice];
};

/// Where a chunk of a row begins, a pixel or a filter. The chunks are swizzled so that the eight rows
/// that a warp reads at once lie in different banks.
template <class T>
__device__ __forceinline__ int chunk_at(int row, int chunk) {
  return (row * chunks + (chunk ^ (row % 8))) * widest<T>;
}

/// The row of a channel's filter: in this order a lane's results of four products are eight
/// neighbouring channels, which it reads and writes in packs, straight from registers.
__device__ __forceinline__ int filter_row(int channel) {
  return static_cast<int>(row_of_column(channel, ColumnOrder::grouped));
}

/// The A factor of one product, 16 pixels from `row` on, or the B factors of two, 16 filters; two
/// chunks of channels.
template <class T>
__device__ __forceinline__ void load_pixels(std::uint32_t (&a)[4], const T* halo, int row,
                                            int chunk) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int matrix = lane / 8;
  simt::ldmatrix(a, halo + chunk_at<T>(row + matrix % 2 * 8 + lane % 8, chunk + matrix / 2));
}
template <class T>
__device__ __forceinline__ void load_filters(std::uint32_t (&b)[2][2], const T* filters, int row,
                                             int chunk) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int matrix = lane / 8;
  std::uint32_t both[4];
  simt::ldmatrix(both, filters + chunk_at<T>(row + matrix / 2 * 8 + lane % 8, chunk + matrix % 2));
#pragma unroll
  for (int i = 0; i < 4; ++i) b[i / 2][i % 2] = both[i];
}

/// Whether channels come in the 64s of slices and columns, and all of them in packs.
template <class T>
bool suits(const ConvWork<T>& work) {
  const ConvSize& size = work.size;
  return size.in_channels % slice == 0 && size.out_channels % columns == 0 &&
         can_pack<T>(widest<T>, slice, {work.to, work.from, work.filters, work.features});
}

/// An implicit matrix product on tensor cores: rows are pixels, K the taps and channels. Attacks the
/// loads of rung 1. What a block loads of the map serves nine taps and 64 channels of the result:
/// for each tap the A factor is the same tile in shared memory, shifted, which ldmatrix reads from
/// any pixel.
///
/// A block computes 16×16 pixels and 64 channels; a warp has two rows of the tile in registers, and
/// reads and writes the result in packs, straight from there. 64 channels of the tile and its border
/// lie in shared memory, 41 KB. The filters go through a pipeline, a tap of 8 KB a stage, two of
/// them on their way while one is multiplied. All nine taps would take 74 KB: no GPU would have room
/// for a second block, which multiplies while this one loads its tile, and most consumer GPUs none for
/// the tile. So the filters are read again for every tile, from the L2 cache: with the tile 116 KB for
/// 19 MFLOP.
///
/// Bound by instruction issue and by shared memory nearly as much: a warp reads 3 KB for 32×64×16
/// multiply-adds, 24 of the 32 cycles that an A100's tensor cores take for them.
template <class T>
__global__ void __launch_bounds__(threads, 2) conv_mma_kernel(ConvWork<T> work) {
  constexpr int width = widest<T>;
  auto& shared = *reinterpret_cast<Shared<T>*>(simt::dynamic_shared<T>());
  const int warp = static_cast<int>(threadIdx.x / 32);
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int height = static_cast<int>(work.size.height);
  const int row_pixels = static_cast<int>(work.size.width);
  const std::int64_t from_channels = work.size.in_channels;
  const std::int64_t to_channels = work.size.out_channels;
  // Blocks that share a tile are neighbours.
  const int groups = static_cast<int>(to_channels) / columns;
  const int first_column = static_cast<int>(blockIdx.x) % groups * columns;
  const int left = static_cast<int>(blockIdx.x) / groups * side;
  const int top = static_cast<int>(blockIdx.y) * side;
  const std::int64_t first_pixel = blockIdx.z * work.size.height * work.size.width;

  const auto load_halo = [&](int first_channel) {
#pragma unroll 1
    for (int i = static_cast<int>(threadIdx.x); i < halo_pixels * chunks; i += threads) {
      const int pixel = i / chunks;
      const int chunk = i % chunks;
      const int h = top - 1 + pixel / halo_side;
      const int w = left - 1 + pixel % halo_side;
      const bool inside = h >= 0 && h < height && w >= 0 && w < row_pixels;
      const std::int64_t at = (first_pixel + std::int64_t{h} * row_pixels + w) * from_channels;
      simt::cp_async_16(shared.halo + chunk_at<T>(pixel, chunk),
                        inside ? work.from + at + first_channel + chunk * width : work.from,
                        inside ? 16 : 0);
    }
  };
  const int steps = static_cast<int>(from_channels) / slice * taps;
  const auto load_step = [&](int step) {
    if (step < steps) {
      const T* tap = work.filters +
                     (std::int64_t{first_column} * taps + step % taps) * from_channels +
                     step / taps * slice;
#pragma unroll
      for (int i = static_cast<int>(threadIdx.x); i < columns * chunks; i += threads) {
        const int channel = i / chunks;
        const int chunk = i % chunks;
        simt::cp_async_16(shared.filters[step % stages] + chunk_at<T>(filter_row(channel), chunk),
                          tap + channel * taps * from_channels + chunk * width);
      }
    }
    simt::cp_async_commit_group();
  };

  load_halo(0);
  for (int step = 0; step < stages - 1; ++step) load_step(step);
  // The lane's columns, eight in a row of each half of the 64.
  const int c = first_column + lane % 4 * 8;
  float sum[warp_rows][8][4];
#pragma unroll
  for (int j = 0; j < 8; ++j) {
#pragma unroll
    for (int v = 0; v < 4; ++v) {
      const int column = c + j / 4 * 32 + j % 4 * 2 + v % 2;
      const float first = work.bias == nullptr ? 0.0F : work.bias[column];
#pragma unroll
      for (int i = 0; i < warp_rows; ++i) sum[i][j][v] = first;
    }
  }

  const int first_row = warp * warp_rows;
  const bool active = top + first_row < height;
  for (int step = 0; step < steps; ++step) {
    simt::cp_async_wait_group<stages - 2>();
    __syncthreads();
    const bool next_slice = step > 0 && step % taps == 0;
    if (next_slice) load_halo(step / taps * slice);
    load_step(step + stages - 1);
    if (next_slice) {
      simt::cp_async_wait_group<0>();
      __syncthreads();
    }
    if (!active) continue;
    const T* filters = shared.filters[step % stages];
    const int tap = step % taps;
    const int pixel = (first_row + tap / 3) * halo_side + tap % 3;
#pragma unroll 2
    for (int chunk = 0; chunk < chunks; chunk += 2) {
      std::uint32_t a[warp_rows][4];
#pragma unroll
      for (int i = 0; i < warp_rows; ++i) {
        load_pixels(a[i], shared.halo, pixel + i * halo_side, chunk);
      }
#pragma unroll
      for (int j = 0; j < 8; j += 2) {
        std::uint32_t b[2][2];
        load_filters(b, filters, 8 * j, chunk);
#pragma unroll
        for (int i = 0; i < warp_rows; ++i) {
          mma<T>(sum[i][j], a[i], b[0]);
          mma<T>(sum[i][j + 1], a[i], b[1]);
        }
      }
    }
  }

#pragma unroll
  for (int i = 0; i < warp_rows; ++i) {
    const int h = top + first_row + i;
    HeldPack<T, width> held[2][2];
    const auto each_pack = [&](auto visit) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int w = left + lane / 4 + 8 * half;
        const std::int64_t at = (first_pixel + std::int64_t{h} * row_pixels + w) * to_channels + c;
#pragma unroll
        for (int group = 0; group < 2; ++group) {
          visit(half, group, at + 32 * group, h < height && w < row_pixels);
        }
      }
    };
    each_pack([&](int half, int group, std::int64_t at, bool inside) {
      held[half][group] = hold_pack<width>(work.to, work.features, at, inside, work.epilogue);
    });
    each_pack([&](int half, int group, std::int64_t at, bool inside) {
      float values[width];
#pragma unroll
      for (int v = 0; v < width; ++v) {
        const float value = sum[i][4 * group + v / 2][2 * half + v % 2];
        values[v] = work.relu && value < 0 ? 0.0F : value;
      }
      join_pack(work.to, at, inside, held[half][group], values, work.epilogue);
    });
  }
}

}  // namespace conv_tile

struct ConvTensorCores {
  template <class T>
  static void run(const ConvWork<T>& work, simt::StreamHandle stream) {
    using namespace conv_tile;
    if (!suits(work)) {
      ConvNaive::run(work, stream);
      return;
    }
    const auto tiles = [](std::int64_t pixels) {
      return static_cast<unsigned>((pixels + side - 1) / side);
    };
    const auto groups = static_cast<unsigned>(work.size.out_channels / columns);
    const simt::Grid grid{"conv_mma",
                          {tiles(work.size.width) * groups, tiles(work.size.height),
                           static_cast<unsigned>(work.size.batch)},
                          {threads},
                          sizeof(Shared<T>)};
    simt::launch(conv_mma_kernel<T>, grid, stream, work);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
