// SPDX-License-Identifier: MIT
#include "kernels/common/persistent.cuh"
#include "kernels/first_conv/rung_2_lane_weights.cuh"
#include "kernels/first_conv_gram_loss/first_conv_gram_loss.hpp"
#include "kernels/gram/swizzled_slice.cuh"
#include "kernels/gram_loss/last_stage.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

using namespace first_conv_lanes;

constexpr int channels = warp_channels;
constexpr int width = 4;  // values of M that a thread computes at a time
constexpr int values_of_sum = channels * channels;
constexpr int own_sums = values_of_sum / threads;

/// How the picture is cut: into tiles, and these into splits, each of which has a block's partial sum
/// of G. The size alone decides, as in GramPlan: about as many splits as blocks run at once, of at most
/// 4096 pixels.
struct Splits {
  int across;  ///< tiles
  int tiles;   ///< of an image
  int tiles_of_one;
  int count;  ///< of an image

  explicit Splits(const MapSize& size) {
    constexpr int most = 264;
    constexpr int most_tiles = 4096 / (tile_width * tile_rows);
    const auto parts = [](std::int64_t whole, std::int64_t of) {
      return static_cast<int>((whole + of - 1) / of);
    };
    across = parts(size.width, tile_width);
    tiles = across * parts(size.height, tile_rows);
    tiles_of_one = std::min(parts(tiles, most), most_tiles);
    count = parts(tiles, tiles_of_one);
  }

  /// Shares of an image in the second stage.
  [[nodiscard]] int sum_blocks() const {
    return values_of_sum * gram_sum_parts(count) / (width * threads);
  }
};

/// A row of the tile is a slice of 32 pixels; a warp computes one at a time.
template <class T>
using Slice = GramSwizzledSlice<T, channels>;

template <class T>
struct Shared {
  T slices[warps][Slice<T>::values];
  float sums[own_sums]
            [threads];  ///< each thread's own: beside the weights they would fill the registers
};

/// Computes a warp's row of the tile, stores it to y, and to its slice what G is made of: zeros where
/// no pixel is.
template <class T>
__device__ __forceinline__ void compute_row(T* slice, T* y, const PixelTile& tile, int row,
                                            int pixels_of_row, const LaneWeights& weights,
                                            const float* bias) {
  const int channel = static_cast<int>(threadIdx.x % 32) * lane_channels;
#pragma unroll 1
  for (int begin = 0; begin < tile_width; begin += strip) {
    // The place in the slice but for its swizzle, so that eight swizzled places fill no registers.
    const int own = begin * channels + channel;
    float sums[strip][lane_channels];
    compute_strip(sums, tile, row, begin, weights,
                  load_lane<float, false>(bias + channel, lane_channels));
#pragma unroll
    for (int p = 0; p < strip; ++p) {
      const int pixel = begin + p;
      Pack<T, lane_channels> pair{};
      if (pixel < pixels_of_row) {
#pragma unroll
        for (int k = 0; k < lane_channels; ++k) {
          pair.values[k] = static_cast<T>(sums[p][k] < 0 ? 0 : sums[p][k]);
        }
        store_pack<lane_channels>(y + pixel * channels + channel, pair);
      }
      store_pack<lane_channels>(slice + (own ^ Slice<T>::at(p, 0) % channels) + p * channels, pair);
    }
  }
}

/// Adds the slices' share to the block's sum of G, of which a warp has 32×16 values.
template <class T>
__device__ __forceinline__ void add_products(Shared<T>& shared, bool first) {
  const int warp = static_cast<int>(threadIdx.x / 32);
  const int i0 = warp % 2 * 32;
  const int j0 = warp / 2 * 16;
  float sum[2][2][4];
#pragma unroll
  for (int v = 0; v < own_sums; ++v) {
    sum[v / 8][v / 4 % 2][v % 4] = first ? 0 : shared.sums[v][threadIdx.x];
  }
#pragma unroll 2
  for (int step = 0; step < warps * 2; ++step) {
    const T* slice = shared.slices[step / 2];
    const int pixel = step % 2 * 16;
    std::uint32_t b[2][2];
    Slice<T>::load_b(b, slice, pixel, j0);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      std::uint32_t a[4];
      Slice<T>::load_a(a, slice, pixel, i0 + 16 * i);
#pragma unroll
      for (int j = 0; j < 2; ++j) mma<T>(sum[i][j], a, b[j]);
    }
  }
#pragma unroll
  for (int v = 0; v < own_sums; ++v) {
    shared.sums[v][threadIdx.x] = sum[v / 8][v / 4 % 2][v % 4];
  }
}

/// Stores the block's sum of G row by row.
template <class T>
__device__ __forceinline__ void store_sum(float* partial, const Shared<T>& shared) {
  const int warp = static_cast<int>(threadIdx.x / 32);
  const int lane = static_cast<int>(threadIdx.x % 32);
#pragma unroll
  for (int v = 0; v < own_sums; ++v) {
    const int i = warp % 2 * 32 + v / 8 * 16 + lane / 4 + v / 2 % 2 * 8;
    const int j = warp / 2 * 16 + v / 4 % 2 * 8 + lane % 4 * 2 + v % 2;
    partial[i * channels + j] = shared.sums[v][threadIdx.x];
  }
}

/// The map goes from registers to memory, and through shared memory to tensor cores, which add its
/// share of G while it is there. Attacks what gram_loss reads: the largest map of all, which has just
/// been written.
///
/// A persistent block computes the tiles of a split, as first_conv_forward does: a warp has a row of 32
/// pixels, 8 rows at a time. Then all wait for each other, and a warp multiplies 32×16 values of the
/// block's G over these 256 pixels. The blocks wait for each other and share the second stage, that of
/// gram_loss. Bound by instruction issue, as first_conv_forward; one block of an SM multiplies while
/// another computes.
template <class T>
__global__ void __launch_bounds__(threads, 2)
    first_conv_gram_loss_kernel(T* y, float* partial_sums, const float* pixels, const float* weight,
                                const float* bias, Pixel mean, MapSize size, Splits splits,
                                GramLossStage loss) {
  if (simt::in_phase(0)) {
    SIMT_SHARED(PixelTile, tile, [1]);
    auto& shared = *reinterpret_cast<Shared<T>*>(simt::dynamic_shared<T>());
    const int warp = static_cast<int>(threadIdx.x / 32);
    const int height = static_cast<int>(size.height);
    const int row_pixels = static_cast<int>(size.width);
    for (int index = static_cast<int>(blockIdx.x); index < splits.count * loss.images;
         index += static_cast<int>(gridDim.x)) {
      const int image = index / splits.count;
      const int begin = index % splits.count * splits.tiles_of_one;
      const int end = std::min(begin + splits.tiles_of_one, splits.tiles);
#pragma unroll 1
      for (int t = begin; t < end; ++t) {
        const int top = t / splits.across * tile_rows;
        const int left = t % splits.across * tile_width;
        load_pixels(tile[0], pixels + std::int64_t{image} * size.pixels() * 3, mean, top, left,
                    size);
#pragma unroll 1
        for (int first_row = 0; first_row < tile_rows; first_row += warps) {
          // Each time, so that they fill no registers while it multiplies. Waits for the tile as well, and
          // until no warp multiplies the slices any longer.
          const LaneWeights weights = load_weights(weight, channels);
          const int columns = row_pixels - left < tile_width ? row_pixels - left : tile_width;
          const int h = top + first_row + warp;
          const std::int64_t pixel = (std::int64_t{image} * height + h) * row_pixels + left;
          compute_row(shared.slices[warp], y + pixel * channels, tile[0], first_row + warp,
                      h < height ? columns : 0, weights, bias);
          __syncthreads();
          add_products(shared, t == begin && first_row == 0);
        }
      }
      store_sum(partial_sums + std::int64_t{index} * values_of_sum, shared);
    }
  }
  simt::next_phase();
  if (simt::in_phase(1)) add_gram_losses<channels, width>(loss);
}

}  // namespace

template <class T>
bool first_conv_gram_loss_fits(const T* y, const MapSize& y_size) {
  return simt::device().sm >= 80 && y_size.channels == channels && is_full(y, y_size);
}

/// The sums of blocks, two floats each, lie before the partial sums.
std::int64_t first_conv_gram_loss_workspace(const MapSize& y_size) {
  const Splits splits(y_size);
  return y_size.batch * (2 * splits.sum_blocks() + std::int64_t{splits.count} * values_of_sum);
}

template <class T>
void first_conv_gram_loss(T* y, float* loss, const StyleMatrixOutput& matrix, const float* pixels,
                          const float* weight, const float* bias, const std::array<float, 3>& mean,
                          const float* target, const MapSize& y_size, const StyleLossScale& scale,
                          float* workspace, unsigned* blocks_done, Stream stream) {
  const Splits splits(y_size);
  const auto images = static_cast<int>(y_size.batch);
  float* partials = workspace + 2 * images * splits.sum_blocks();
  const GramLossStage phase{{loss, reinterpret_cast<double*>(workspace), blocks_done, scale.loss},
                            matrix,
                            {partials, channels, 1, splits.count, gram_sum_parts(splits.count)},
                            target,
                            scale,
                            images,
                            splits.sum_blocks()};
  const simt::Grid grid{"first_conv_gram_loss",
                        {static_cast<unsigned>(splits.count * images)},
                        {threads},
                        sizeof(Shared<T>),
                        2};
  launch_persistent(first_conv_gram_loss_kernel<T>, grid, stream, y, partials, pixels, weight, bias,
                    Pixel{mean[0], mean[1], mean[2]}, y_size, splits, phase);
}

#define IMPASTO_FIRST_CONV_GRAM_LOSS(T)                                                           \
  template bool first_conv_gram_loss_fits(const T*, const MapSize&);                              \
  template void first_conv_gram_loss(T*, float*, const StyleMatrixOutput&, const float*,          \
                                     const float*, const float*, const std::array<float, 3>&,     \
                                     const float*, const MapSize&, const StyleLossScale&, float*, \
                                     unsigned*, Stream);
IMPASTO_FIRST_CONV_GRAM_LOSS(bfloat16)
IMPASTO_FIRST_CONV_GRAM_LOSS(float16)
#undef IMPASTO_FIRST_CONV_GRAM_LOSS

}  // namespace impasto::kernels::IMPASTO_DEVICE
