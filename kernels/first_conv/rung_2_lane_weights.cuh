// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "kernels/common/pack.cuh"
#include "kernels/common/reduce.cuh"
#include "kernels/first_conv/first_conv.hpp"
#include "simt/launch.hpp"

// Weights lie in registers, pixels in shared memory. Attacks the loads of rung 1, two for a
// multiply-add.
//
// A block takes 32×16 pixels, each of its eight warps two rows of them, eight pixels at a time. A
// lane has two neighbouring output channels, a warp 64, and keeps their 54 weights in registers. So
// a warp reads or writes a pixel's channels in one instruction, 128 bytes in a row for 16-bit
// types. What a lane loads of the map it uses for 18 multiply-adds backward, and for 6 per value
// forward.
//
// With 64 channels of 16 bits there are 25 FLOP for each byte, and an H100 does 20 in the time it
// moves one, so the kernels are bound by instruction issue. For sm_90a and bfloat16 they issue 1.25
// instructions per multiply-add forward and 1.9 backward, where values are unpacked, tested against
// the border and added over lanes. Weights in shared memory would cost a load for every few
// multiply-adds. Tensor cores would need the 27 taps gathered and padded to 32, and pixels and
// weights rounded to 16 bits.
namespace impasto::kernels::IMPASTO_DEVICE {
namespace first_conv_lanes {

inline constexpr int threads = 256;
inline constexpr int warps = threads / 32;
inline constexpr int tile_width = 32;
inline constexpr int tile_rows = 16;
inline constexpr int strip = 8;  // pixels
inline constexpr int taps = 9;
inline constexpr int weights_per_channel = 27;
inline constexpr int lane_channels = 2;
inline constexpr int warp_channels = 32 * lane_channels;

struct Pixel {
  float red, green, blue;
};

/// The channels of this launch, out of `stride` channels of the map.
struct Channels {
  int count;
  std::int64_t stride;
};

/// One lane's weights; zero for a channel that does not exist.
struct LaneWeights {
  float values[lane_channels][taps][3];
};

/// Loads them through shared memory, transposed: otherwise each lane would read its own line.
__device__ __forceinline__ LaneWeights load_weights(const float* weight, int channels) {
  using Pair = Pack<float, lane_channels>;
  SIMT_SHARED(Pair, turned, [weights_per_channel][33]);
  for (int i = static_cast<int>(threadIdx.x); i < warp_channels * weights_per_channel;
       i += threads) {
    const int k = i / weights_per_channel;
    turned[i % weights_per_channel][k / lane_channels].values[k % lane_channels] =
        k < channels ? weight[i] : 0.0F;
  }
  __syncthreads();
  LaneWeights result;
#pragma unroll
  for (int i = 0; i < weights_per_channel; ++i) {
    const Pair pair = turned[i][threadIdx.x % 32];
#pragma unroll
    for (int k = 0; k < lane_channels; ++k) result.values[k][i / 3][i % 3] = pair.values[k];
  }
  return result;
}

/// The lane's channels, the first of them at `at`; zero for those that do not exist.
template <class T, bool full>
__device__ __forceinline__ Pack<float, lane_channels> load_lane(const T* at, int channels) {
  Pack<float, lane_channels> result{};
  if constexpr (full) {
    if (channels > 0) {
      const auto pair = load_pack<lane_channels>(at);
#pragma unroll
      for (int k = 0; k < lane_channels; ++k) result.values[k] = static_cast<float>(pair.values[k]);
    }
  } else {
#pragma unroll
    for (int k = 0; k < lane_channels; ++k) {
      if (k < channels) result.values[k] = static_cast<float>(at[k]);
    }
  }
  return result;
}

template <class T, bool full>
__device__ __forceinline__ void store_lane(T* at, const float (&values)[lane_channels],
                                           int channels) {
  if constexpr (full) {
    Pack<T, lane_channels> pair;
#pragma unroll
    for (int k = 0; k < lane_channels; ++k) pair.values[k] = static_cast<T>(values[k]);
    if (channels > 0) store_pack<lane_channels>(at, pair);
  } else {
#pragma unroll
    for (int k = 0; k < lane_channels; ++k) {
      if (k < channels) at[k] = static_cast<T>(values[k]);
    }
  }
}

using Quad = Pack<float, 4>;
using PixelTile = Quad[tile_rows + 2][tile_width + 2];

/// Loads the tile and one more pixel on every side, minus the mean, and zero outside the image. A
/// pixel takes four floats, the last of them zero, so that one load reads it.
__device__ __forceinline__ void load_pixels(PixelTile& tile, const float* image, const Pixel& mean,
                                            int top, int left, const MapSize& size) {
  constexpr int row_values = 4 * (tile_width + 2);
  for (int i = static_cast<int>(threadIdx.x); i < (tile_rows + 2) * row_values; i += threads) {
    const int row = i / row_values;
    const int column = i % row_values / 4;
    const int c = i % 4;
    const int h = top + row - 1;
    const int w = left + column - 1;
    const bool inside = h >= 0 && h < size.height && w >= 0 && w < size.width;
    const float mean_value = c == 0 ? mean.red : c == 1 ? mean.green : mean.blue;
    tile[row][column].values[c] =
        inside && c < 3 ? image[(size.width * h + w) * 3 + c] - mean_value : 0.0F;
  }
}

/// The lane's channels at the strip of pixels that begins at [row, begin] of the tile, before the ReLU.
__device__ __forceinline__ void compute_strip(float (&sums)[strip][lane_channels],
                                              const PixelTile& tile, int row, int begin,
                                              const LaneWeights& weights,
                                              const Pack<float, lane_channels>& bias) {
#pragma unroll
  for (int p = 0; p < strip; ++p) {
#pragma unroll
    for (int k = 0; k < lane_channels; ++k) sums[p][k] = bias.values[k];
  }
#pragma unroll
  for (int j = 0; j < strip + 2; ++j) {
#pragma unroll
    for (int r = 0; r < 3; ++r) {
      const Quad x = tile[row + r][begin + j];
#pragma unroll
      for (int s = 0; s < 3; ++s) {
        if (j - s < 0 || j - s >= strip) continue;
#pragma unroll
        for (int c = 0; c < 3; ++c) {
#pragma unroll
          for (int k = 0; k < lane_channels; ++k) {
            sums[j - s][k] += weights.values[k][3 * r + s][c] * x.values[c];
          }
        }
      }
    }
  }
}

template <class T, bool full>
__global__ void __launch_bounds__(threads, 2)
    first_conv_forward_kernel(T* y, const float* pixels, const float* weight, const float* bias,
                              Pixel mean, MapSize size, Channels channels, bool relu) {
  SIMT_SHARED(PixelTile, tile, [1]);
  const int top = static_cast<int>(blockIdx.y) * tile_rows;
  const int left = static_cast<int>(blockIdx.x) * tile_width;
  const int tile_columns = std::min(static_cast<int>(size.width), left + tile_width) - left;
  const std::int64_t n = blockIdx.z;
  load_pixels(tile[0], pixels + n * size.pixels() * 3, mean, top, left, size);
  const LaneWeights weights = load_weights(weight, channels.count);  // waits for the tile as well

  const int channel = static_cast<int>(threadIdx.x % 32) * lane_channels;
  const int own = full ? lane_channels : channels.count - channel;  // channels of this lane
  const std::int64_t stride = full ? warp_channels : channels.stride;
  const auto first = load_lane<float, false>(bias + channel, own);
  for (int row = static_cast<int>(threadIdx.x / 32); row < tile_rows; row += warps) {
    if (top + row >= static_cast<int>(size.height)) break;
#pragma unroll 1
    for (int begin = 0; begin < tile_columns; begin += strip) {
      float sums[strip][lane_channels];
      compute_strip(sums, tile[0], row, begin, weights, first);
      const std::int64_t pixel = (n * size.height + top + row) * size.width + left + begin;
      T* to = y + pixel * stride + channel;
#pragma unroll
      for (int p = 0; p < strip; ++p, to += stride) {
#pragma unroll
        for (int k = 0; k < lane_channels; ++k) {
          if (relu && sums[p][k] < 0) sums[p][k] = 0;
        }
        if (begin + p < tile_columns) store_lane<T, full>(to, sums[p], own);
      }
    }
  }
}

/// Lanes add over their own channels, then the warp over its lanes. Unless there are 64 channels,
/// the two conditions of a pair take so many registers that an SM holds one block only.
template <class T, bool full>
__global__ void __launch_bounds__(threads, full ? 2 : 1)
    first_conv_backward_kernel(float* grad_pixels, const T* grad_y, const float* weight,
                               MapSize size, Channels channels, bool accumulate) {
  const LaneWeights weights = load_weights(weight, channels.count);
  const int height = static_cast<int>(size.height);
  const int top = static_cast<int>(blockIdx.y) * tile_rows;
  const int left = static_cast<int>(blockIdx.x) * tile_width;
  const int tile_end = std::min(static_cast<int>(size.width), left + tile_width);
  const std::int64_t n = blockIdx.z;
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int channel = lane * lane_channels;
  const int own = full ? lane_channels : channels.count - channel;
  const std::int64_t stride = full ? warp_channels : channels.stride;
  for (int row = static_cast<int>(threadIdx.x / 32); row < tile_rows; row += warps) {
    const int h = top + row;
    if (h >= height) break;
#pragma unroll 1
    for (int begin = left; begin < tile_end; begin += strip) {
      const std::int64_t pixel = (n * size.height + h) * size.width + begin;
      const int columns = static_cast<int>(size.width) - begin;  // from here to the edge
      const T* here = grad_y + pixel * stride + channel;
      float sums[3][strip] = {};
#pragma unroll
      for (int r = 0; r < 3; ++r) {
        const bool row_inside = h + 1 - r >= 0 && h + 1 - r < height;
        const T* there = here + (1 - r) * size.width * stride;
#pragma unroll
        for (int j = 0; j < strip + 2; ++j) {
          const bool inside = row_inside && (j == 0 ? begin > 0 : j - 1 < columns);
          const auto grad = load_lane<T, full>(there + (j - 1) * stride, inside ? own : 0);
#pragma unroll
          for (int s = 0; s < 3; ++s) {
            const int p = j - 2 + s;
            if (p < 0 || p >= strip) continue;
#pragma unroll
            for (int c = 0; c < 3; ++c) {
#pragma unroll
              for (int k = 0; k < lane_channels; ++k) {
                sums[c][p] += weights.values[k][3 * r + s][c] * grad.values[k];
              }
            }
          }
        }
      }
      const float red = warp_sum_each(sums[0]);
      const float green = warp_sum_each(sums[1]);
      const float blue = warp_sum_each(sums[2]);
      const int p = lane % strip;
      const int c = lane / strip;
      if (c < 3 && p < columns) {
        float* to = grad_pixels + (pixel + p) * 3 + c;
        const float sum = c == 0 ? red : c == 1 ? green : blue;
        *to = accumulate ? *to + sum : sum;
      }
    }
  }
}

inline simt::Grid grid_for(const char* name, const MapSize& size) {
  const auto across = static_cast<unsigned>((size.width + tile_width - 1) / tile_width);
  const auto down = static_cast<unsigned>((size.height + tile_rows - 1) / tile_rows);
  return {name, {across, down, static_cast<unsigned>(size.batch)}, {threads}};
}

/// Whether the map has 64 channels, as VGG's first: then the kernels know its strides, and every
/// lane moves a pair. Otherwise values are moved one by one.
template <class T>
bool is_full(const T* map, const MapSize& size) {
  return size.channels == warp_channels && can_pack<T>(lane_channels, warp_channels, {map});
}

/// Calls body(first channel, channels) for every 64 of them.
template <class Body>
void for_each_group(std::int64_t channels, Body body) {
  for (std::int64_t first = 0; first < channels; first += warp_channels) {
    const auto count = std::min<std::int64_t>(channels - first, warp_channels);
    body(first, Channels{static_cast<int>(count), channels});
  }
}

}  // namespace first_conv_lanes

struct FirstConvForwardLaneWeights {
  template <class T>
  static void launch(T* y, const float* pixels, const float* weight, const float* bias,
                     const std::array<float, 3>& mean, const MapSize& y_size, bool relu,
                     simt::StreamHandle stream) {
    using namespace first_conv_lanes;
    const bool full = is_full<T>(y, y_size);
    const Pixel mean_pixel{mean[0], mean[1], mean[2]};
    for_each_group(y_size.channels, [&](std::int64_t first, const Channels& channels) {
      simt::launch(full ? first_conv_forward_kernel<T, true> : first_conv_forward_kernel<T, false>,
                   grid_for("first_conv_forward", y_size), stream, y + first, pixels,
                   weight + first * weights_per_channel, bias + first, mean_pixel, y_size, channels,
                   relu);
    });
  }
};

struct FirstConvBackwardLaneWeights {
  template <class T>
  static void launch(float* grad_pixels, const T* grad_y, const float* weight,
                     const MapSize& y_size, simt::StreamHandle stream) {
    using namespace first_conv_lanes;
    const bool full = is_full<T>(grad_y, y_size);
    for_each_group(y_size.channels, [&](std::int64_t first, const Channels& channels) {
      simt::launch(
          full ? first_conv_backward_kernel<T, true> : first_conv_backward_kernel<T, false>,
          grid_for("first_conv_backward", y_size), stream, grad_pixels, grad_y + first,
          weight + first * weights_per_channel, y_size, channels, first > 0);
    });
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
