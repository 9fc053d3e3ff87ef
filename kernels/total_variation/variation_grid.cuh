// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "kernels/common/loss_sum.cuh"
#include "kernels/total_variation/total_variation.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

inline constexpr int variation_threads = static_cast<int>(variation_block_values);

/// Of a grid: more than a GPU runs at once.
inline constexpr std::int64_t variation_most_blocks_down = 4096;

/// Blocks of 128 values of 8 rows, which stride over the rows that are left.
inline simt::Grid variation_grid(const char* name, const MapSize& size) {
  return {name,
          {static_cast<unsigned>(variation_blocks_across(size)),
           static_cast<unsigned>(std::min(variation_blocks_down(size), variation_most_blocks_down)),
           static_cast<unsigned>(size.batch)},
          {variation_threads}};
}

using VariationKernel = void (*)(LossSum losses, float* grad_pixels, const float* pixels,
                                 MapSize size, std::int64_t blocks_down, float scale);

/// A rung's kernel, which stores a sum for each block, and adds them where it is done.
inline void launch_variation(VariationKernel kernel, const char* name, float* loss,
                             float* grad_pixels, const float* pixels, const MapSize& size,
                             const VariationScale& scale, double* workspace, unsigned* blocks_done,
                             simt::StreamHandle stream) {
  simt::launch(kernel, variation_grid(name, size), stream,
               LossSum{loss, workspace, blocks_done, scale.loss}, grad_pixels, pixels, size,
               variation_blocks_down(size), static_cast<float>(scale.gradient));
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
