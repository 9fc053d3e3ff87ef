// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "kernels/common/loss_sum.cuh"
#include "kernels/total_variation/total_variation.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

inline constexpr int variation_threads = static_cast<int>(variation_block_values);

/// Blocks of 128 values of a row by 8 rows; rows beyond a grid's 65535 are strided over.
inline simt::Grid variation_grid(const char* name, const MapSize& size) {
  constexpr std::int64_t most_rows = 65535;
  return {name,
          {static_cast<unsigned>(variation_blocks_across(size)),
           static_cast<unsigned>(std::min(variation_blocks_down(size), most_rows)),
           static_cast<unsigned>(size.batch)},
          {variation_threads}};
}

inline void launch_variation_sum(float* loss, const double* block_sums, const MapSize& size,
                                 double scale, simt::StreamHandle stream) {
  launch_loss_sum(loss, block_sums, size.batch,
                  variation_blocks_across(size) * variation_blocks_down(size), scale, stream);
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
