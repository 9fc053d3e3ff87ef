// SPDX-License-Identifier: MIT
#include "kernels/style_backward/rung_3_tensor_cores.cuh"
#include "kernels/style_first_conv/style_first_conv.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

// A block computes the gradient of 32×16 pixels. It needs that of the map there and one pixel around:
// 34×18 pixels, in groups of 16 for tensor cores.
constexpr int channels = 64;
constexpr int threads = 256;
constexpr int warps = threads / 32;
constexpr int tile_width = 32;
constexpr int tile_rows = 16;
constexpr int halo_width = tile_width + 2;
constexpr int halo_pixels = halo_width * (tile_rows + 2);
constexpr int group = 16;
constexpr int halo_groups = (halo_pixels + group - 1) / group;
constexpr int halo_rows = halo_groups * group;
constexpr int slice = 32;  // channels: 64 bytes
constexpr int slices = channels / slice;
constexpr int products = 9 * channels / 16;  // along K, for a group of pixels
constexpr int own_groups = tile_width * tile_rows / group / warps;

struct Fragment {
  std::uint32_t registers[2];
};

/// What a block keeps in shared memory: the tile as F and then as g, M, the weights as B factors.
template <class T>
struct Shared {
  T map[slices][halo_rows * slice];
  T matrix[slices][channels * slice];
  Fragment weights[products][32];
  float scales[channels];
};

template <class T>
__device__ __forceinline__ std::uint32_t pair_of(float low, float high) {
  Pack<T, 2> pair;
  pair.values[0] = static_cast<T>(low);
  pair.values[1] = static_cast<T>(high);
  return std::bit_cast<std::uint32_t>(pair);
}

/// M, rounded and scaled column by column as round_matrix_kernel does: a warp takes every eighth.
template <class T>
__device__ __forceinline__ void load_matrix(Shared<T>& shared, const StyleMatrix& matrix,
                                            std::int64_t image) {
  const int lane = static_cast<int>(threadIdx.x % 32);
#pragma unroll 4
  for (int column = static_cast<int>(threadIdx.x / 32); column < channels; column += warps) {
    const std::int64_t at = (image * channels + column) * channels + lane;
    const float values[slices] = {load_matrix_value(matrix, at),
                                  load_matrix_value(matrix, at + slice)};
    unsigned largest = 0;
#pragma unroll
    for (int s = 0; s < slices; ++s) {
      const unsigned magnitude = __float_as_uint(values[s]) & 0x7fffffffU;
      largest = magnitude > largest ? magnitude : largest;
    }
    const MatrixScale scale(warp_largest(largest));
    if (lane == 0) shared.scales[column] = scale.undo;
#pragma unroll
    for (int s = 0; s < slices; ++s) {
      shared.matrix[s][matrix_chunk<T>(column, lane / 8) + lane % 8] =
          static_cast<T>(values[s] * scale.apply);
    }
  }
}

/// The weights as the B factors of 16×8 products: of its eight columns three are colours, the others
/// 0. Product 4·tap + i has the channels from 16·i on.
template <class T>
__device__ __forceinline__ void load_weights(Shared<T>& shared, const float* weight) {
  for (int i = static_cast<int>(threadIdx.x); i < products * 32; i += threads) {
    const int product = i / 32;
    const int lane = i % 32;
    const int colour = lane / 4;
    const int channel = product % 4 * 16 + lane % 4 * 2;
    const auto at = [&](int k) {
      return colour < 3 ? weight[((channel + k) * 9 + product / 4) * 3 + colour] : 0.0F;
    };
    shared.weights[product][lane] = {{pair_of<T>(at(0), at(1)), pair_of<T>(at(8), at(9))}};
  }
}

/// The tile of g goes from F·M through the sum and the mask into shared memory, and from there into
/// the convolution: it is neither written nor read again. Attacks what the two operations move, four
/// maps where two are needed, and the multiply-adds of first_conv_backward, which its CUDA cores
/// issue: 54·C for a pixel.
///
/// A warp copies F for every eighth group of 16 pixels, multiplies them by M (32 products), joins
/// the gradient in packs, straight from registers, and writes g where F was. Then all wait for each
/// other, and a warp multiplies four groups by the weights: for each tap the A factor is the same
/// tile, shifted by a pixel, which ldmatrix reads from any row. 2·C² + 16·9·C FLOP for a pixel, and
/// 19 % more of the first for the pixels around. Bound by memory, and by shared memory nearly as
/// much. An H100 has two such blocks on an SM: one loads while the other multiplies.
template <class T>
__global__ void __launch_bounds__(threads, 2)
    style_first_conv_kernel(float* grad_pixels, const T* grad, const T* features,
                            StyleMatrix matrix, const float* weight, MapSize size,
                            GradientEpilogue epilogue) {
  constexpr int width = widest<T>;
  auto& shared = *reinterpret_cast<Shared<T>*>(simt::dynamic_shared<T>());
  const int warp = static_cast<int>(threadIdx.x / 32);
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int height = static_cast<int>(size.height);
  const int row_pixels = static_cast<int>(size.width);
  const int top = static_cast<int>(blockIdx.y) * tile_rows;
  const int left = static_cast<int>(blockIdx.x) * tile_width;
  const std::int64_t first_pixel = blockIdx.z * size.pixels();
  /// The place in the map of a pixel of the tile, or −1.
  const auto place = [&](int pixel) -> std::int64_t {
    const int h = top - 1 + pixel / halo_width;
    const int w = left - 1 + pixel % halo_width;
    const bool inside = pixel < halo_pixels && h >= 0 && h < height && w >= 0 && w < row_pixels;
    return inside ? (first_pixel + std::int64_t{h} * row_pixels + w) * channels : -1;
  };

  for (int g = warp; g < halo_groups; g += warps) {
#pragma unroll
    for (int i = 0; i < group * channels / width / 32; ++i) {
      const int pixel = g * group + i * 4 + lane / 8;
      const int chunk = lane % 8;
      const std::int64_t at = place(pixel);
      simt::cp_async_16(shared.map[chunk / 4] + feature_chunk<T>(pixel, chunk % 4),
                        at < 0 ? features : features + at + chunk * width, at < 0 ? 0 : 16);
    }
  }
  simt::cp_async_commit_group();
  load_matrix(shared, matrix, blockIdx.z);
  load_weights(shared, weight);
  simt::cp_async_wait_group<0>();
  __syncthreads();

  for (int g = warp; g < halo_groups; g += warps) {
    HeldPack<T, width> held[2][slices];
    std::int64_t at[2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      at[half] = place(g * group + half * 8 + lane / 4);
#pragma unroll
      for (int s = 0; s < slices; ++s) {
        held[half][s] = hold_pack<width>(grad, features, at[half] + s * slice + lane % 4 * width,
                                         at[half] >= 0, {epilogue.accumulate, false});
      }
    }
    float sum[slices][4][4] = {};
#pragma unroll
    for (int k = 0; k < channels / 16; ++k) {
      const int chunk = k % 2 * 2;
      std::uint32_t a[4];
      load_feature_factor(a, shared.map[k / 2], g * group, chunk);
#pragma unroll
      for (int s = 0; s < slices; ++s) {
#pragma unroll
        for (int j = 0; j < 4; j += 2) {
          std::uint32_t b[2][2];
          load_matrix_factors(b, shared.matrix[k / 2], s * slice, j, chunk);
          mma<T>(sum[s][j], a, b[0]);
          mma<T>(sum[s][j + 1], a, b[1]);
        }
      }
    }
    __syncwarp();
#pragma unroll
    for (int half = 0; half < 2; ++half) {
#pragma unroll
      for (int s = 0; s < slices; ++s) {
        T* to = shared.map[s] + feature_chunk<T>(g * group + half * 8 + lane / 4, lane % 4);
        const auto own = load_pack<width>(to);
        const auto added = std::bit_cast<Pack<T, width>>(held[half][s].grad);
        Pack<T, width> result;
#pragma unroll
        for (int v = 0; v < width; ++v) {
          const int c = s * slice + lane % 4 * width + v;
          result.values[v] = joined(added.values[v], own.values[v],
                                    sum[s][v / 2][half * 2 + v % 2] * shared.scales[c], epilogue);
        }
        store_pack<width>(to, result);
      }
    }
  }
  __syncthreads();

  float sum[own_groups][4] = {};
#pragma unroll 2
  for (int product = 0; product < products; ++product) {
    const int tap = product / 4;
    const Fragment& b = shared.weights[product][lane];
    const T* map = shared.map[product % 4 / 2];
#pragma unroll
    for (int g = 0; g < own_groups; ++g) {
      const int index = warp * own_groups + g;
      const int row = index / (tile_width / group) + 2 - tap / 3;
      const int column = index % (tile_width / group) * group + 2 - tap % 3;
      std::uint32_t a[4];
      load_feature_factor(a, map, row * halo_width + column, product % 2 * 2);
      mma<T>(sum[g], a, b.registers);
    }
  }
#pragma unroll
  for (int g = 0; g < own_groups; ++g) {
    const int index = warp * own_groups + g;
    const int h = top + index / (tile_width / group);
#pragma unroll
    for (int v = 0; v < 4; ++v) {
      const int w = left + index % (tile_width / group) * group + lane / 4 + v / 2 * 8;
      const int colour = lane % 4 * 2 + v % 2;
      if (colour >= 3 || h >= height || w >= row_pixels) continue;
      grad_pixels[(first_pixel + std::int64_t{h} * row_pixels + w) * 3 + colour] = sum[g][v];
    }
  }
}

}  // namespace

template <class T>
bool style_first_conv_fits(const T* grad, const T* features, const MapSize& size) {
  return simt::device().sm >= 80 && size.channels == channels &&
         can_pack<T>(widest<T>, channels, {grad, features});
}

template <class T>
void style_first_conv_backward(float* grad_pixels, const T* grad, const T* features,
                               const StyleMatrix& matrix, const float* weight, const MapSize& size,
                               const GradientEpilogue& epilogue, Stream stream) {
  const auto across = static_cast<unsigned>((size.width + tile_width - 1) / tile_width);
  const auto down = static_cast<unsigned>((size.height + tile_rows - 1) / tile_rows);
  const simt::Grid grid{"style_first_conv",
                        {across, down, static_cast<unsigned>(size.batch)},
                        {threads},
                        sizeof(Shared<T>)};
  simt::launch(style_first_conv_kernel<T>, grid, stream, grad_pixels, grad, features, matrix,
               weight, size, epilogue);
}

#define IMPASTO_STYLE_FIRST_CONV(T)                                                              \
  template bool style_first_conv_fits(const T*, const T*, const MapSize&);                       \
  template void style_first_conv_backward(float*, const T*, const T*, const StyleMatrix&,        \
                                          const float*, const MapSize&, const GradientEpilogue&, \
                                          Stream);
IMPASTO_STYLE_FIRST_CONV(bfloat16)
IMPASTO_STYLE_FIRST_CONV(float16)
#undef IMPASTO_STYLE_FIRST_CONV

}  // namespace impasto::kernels::IMPASTO_DEVICE
