// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/pack.cuh"
#include "kernels/pixel_update/rung_2_one_pass.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Attacks rung 2's requests, nine of 4 bytes for each value: a thread has four neighbouring
/// values, and all it asks for is 16 bytes at a time.
///
/// A block takes the same 128 values of 8 rows, of which each of its four warps walks down two: few
/// rows wait for each other, and as many warps are at work as in rung 2. The row above a warp's two
/// and the one below are its neighbours', and come from cache; so do the packs beside its own, for
/// what lies a pixel to the left and right. Bound by memory: 28 bytes moved per value, with a
/// quarter of rung 2's requests. Registers leave room for eight blocks on a processor, where sm_90a
/// has it for ten of rung 2, but each has four times as many bytes under way.
///
/// For `channels` channels in rows of whole packs.
template <int channels>
__global__ void __launch_bounds__(variation_threads, 8)
    pixel_update_pack_kernel(double* block_sums, float* updated, float* m, float* v,
                             const float* pixels, const float* grad, const float* rate_and_v_scale,
                             MapSize size, std::int64_t blocks_down, float scale,
                             AdamConstants constants) {
  SIMT_SHARED(double, warp_sums, [32]);
  constexpr int pack = 4;
  static_assert(channels <= pack, "a pixel's neighbours are in the next pack");
  constexpr std::int64_t rows = variation_block_rows / (variation_threads / 32);
  const float rate = rate_and_v_scale[0];
  const float v_scale = rate_and_v_scale[1];
  const std::int64_t row = size.width * channels;
  const std::int64_t at = blockIdx.x * variation_block_values + threadIdx.x % 32 * pack;
  const bool leftmost = at == 0;
  const bool rightmost = at + pack == row;
  for (std::int64_t strip = blockIdx.y; strip < blocks_down; strip += gridDim.y) {
    const std::int64_t begin = strip * variation_block_rows + threadIdx.x / 32 * rows;
    const std::int64_t end = at < row ? std::min(begin + rows, size.height) : begin;
    float squares = 0;
    if (begin < end) {
      std::int64_t i = blockIdx.z * size.per_image() + begin * row + at;
      // Beyond the border is what lies on it, which differs by nothing.
      auto own = load_pack<pack>(pixels + i);
      auto above = begin > 0 ? load_pack<pack>(pixels + i - row) : own;
      for (std::int64_t h = begin; h < end; ++h, i += row) {
        const auto below = h + 1 < size.height ? load_pack<pack>(pixels + i + row) : own;
        const auto before = leftmost ? own : load_pack<pack>(pixels + i - pack);
        const auto behind = rightmost ? own : load_pack<pack>(pixels + i + pack);
        const auto grad_pack = load_pack<pack>(grad + i);
        auto m_pack = load_pack<pack>(m + i);
        auto v_pack = load_pack<pack>(v + i);
        auto moved = own;
#pragma unroll
        for (int j = 0; j < pack; ++j) {
          const float value = own.values[j];
          float left = 0;
          float right = 0;
          if (j >= channels) {
            left = value - own.values[j - channels];
          } else if (!leftmost) {
            left = value - before.values[j - channels + pack];
          }
          if (j + channels < pack) {
            right = value - own.values[j + channels];
          } else if (!rightmost) {
            right = value - behind.values[j + channels - pack];
          }
          const float up = value - above.values[j];
          const float down = value - below.values[j];
          squares += down * down + right * right;
          const float differences = up + down + left + right;
          adam_update(moved.values[j], m_pack.values[j], v_pack.values[j],
                      grad_pack.values[j] + scale * differences, rate, v_scale, constants);
        }
        store_pack<pack>(updated + i, moved);
        store_pack<pack>(m + i, m_pack);
        store_pack<pack>(v + i, v_pack);
        above = own;
        own = below;
      }
    }
    const double sum = block_sum(static_cast<double>(squares), warp_sums);
    if (threadIdx.x == 0) {
      block_sums[(blockIdx.z * blocks_down + strip) * gridDim.x + blockIdx.x] = sum;
    }
    __syncthreads();
  }
}

struct PixelUpdateVectorised {
  static void launch(float* updated, float* m, float* v, std::int64_t* step, float* loss,
                     const float* pixels, float* grad, const MapSize& size,
                     const VariationScale& variation, const AdamOptions& options, double* workspace,
                     simt::StreamHandle stream) {
    const bool packed = size.channels == 3 && can_pack<float>(4, size.width * size.channels,
                                                              {updated, m, v, pixels, grad});
    launch_pixel_update(packed ? pixel_update_pack_kernel<3> : pixel_update_kernel, "pixel_update",
                        updated, m, v, step, loss, pixels, grad, size, variation, options,
                        workspace, stream);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
