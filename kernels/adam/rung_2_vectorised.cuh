// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/adam/adam_update.cuh"
#include "kernels/common/blocks.hpp"
#include "kernels/common/pack.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Attacks the number of loads that bounds rung 1: with packs a warp has 512 bytes of each array
/// under way.
///
/// A thread takes `group` neighbouring values at a time, 4 of them in loads of 16 bytes; the grid
/// strides over the pixels. Bound by memory: 28 bytes per value, a square root and a division.
template <int group>
__global__ void __launch_bounds__(256)
    adam_kernel(float* pixels, float* m, float* v, std::int64_t* step, const float* grad,
                std::int64_t count, AdamConstants constants, unsigned* blocks_done) {
  const AdamFactors factors = adam_factors(step, constants);
  const std::int64_t stride = std::int64_t{gridDim.x} * blockDim.x;
  const std::int64_t first = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  for (std::int64_t i = first; i < count / group; i += stride) {
    auto pixel_pack = load_pack<group>(pixels + group * i);
    auto m_pack = load_pack<group>(m + group * i);
    auto v_pack = load_pack<group>(v + group * i);
    const auto grad_pack = load_pack<group>(grad + group * i);
#pragma unroll
    for (int j = 0; j < group; ++j) {
      adam_update(pixel_pack.values[j], m_pack.values[j], v_pack.values[j], grad_pack.values[j],
                  factors, constants);
    }
    store_pack<group>(pixels + group * i, pixel_pack);
    store_pack<group>(m + group * i, m_pack);
    store_pack<group>(v + group * i, v_pack);
  }
  // Up to three values are left if their number is no multiple of 4.
  const std::int64_t left = count / group * group + first;
  if (left < count) {
    adam_update(pixels[left], m[left], v[left], grad[left], factors, constants);
  }
  count_step(step, blocks_done);
}

struct AdamVectorised {
  static void launch(float* pixels, float* m, float* v, std::int64_t* step, const float* grad,
                     std::int64_t count, const AdamOptions& options, unsigned* blocks_done,
                     simt::StreamHandle stream) {
    const bool packed = can_pack<float>(4, 4, {pixels, m, v, grad});
    const simt::Grid grid{"adam", {blocks_for(count, packed ? 1024 : 256)}, {256}};
    simt::launch(packed ? adam_kernel<4> : adam_kernel<1>, grid, stream, pixels, m, v, step, grad,
                 count, AdamConstants(options), blocks_done);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
