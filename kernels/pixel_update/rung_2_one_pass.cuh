// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/adam/adam_update.cuh"
#include "kernels/pixel_update/pixel_update.hpp"
#include "kernels/total_variation/variation_columns.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Attacks what rung 1 moves: the variation's gradient goes from its sum of differences into Adam's
/// update in registers, so that `grad` is read once and never written, and the pixels are read
/// once.
///
/// Blocks and threads are those of total_variation's rung 2: a thread walks down a column of 8
/// values with the one above in a register, and updates each on its way. Bound by memory: 28 bytes
/// moved per value. All requests are of 4 bytes: six loads and three stores.
static __global__ void __launch_bounds__(variation_threads)
    pixel_update_kernel(double* block_sums, float* updated, float* m, float* v, const float* pixels,
                        const float* grad, const float* rate_and_v_scale, MapSize size,
                        std::int64_t blocks_down, float scale, AdamConstants constants) {
  SIMT_SHARED(double, warp_sums, [32]);
  const float rate = rate_and_v_scale[0];
  const float v_scale = rate_and_v_scale[1];
  walk_variation_columns<true>(block_sums, warp_sums, pixels, size, blocks_down,
                               [&](std::int64_t i, float pixel, float differences) {
                                 float own_m = m[i];
                                 float own_v = v[i];
                                 adam_update(pixel, own_m, own_v, grad[i] + scale * differences,
                                             rate, v_scale, constants);
                                 updated[i] = pixel;
                                 m[i] = own_m;
                                 v[i] = own_v;
                               });
}

using PixelUpdateKernel = void (*)(double* block_sums, float* updated, float* m, float* v,
                                   const float* pixels, const float* grad,
                                   const float* rate_and_v_scale, MapSize size,
                                   std::int64_t blocks_down, float scale, AdamConstants constants);

/// The count of the step, a rung's pass over the pixels, and the loss from its blocks' sums.
inline void launch_pixel_update(PixelUpdateKernel kernel, const char* name, float* updated,
                                float* m, float* v, std::int64_t* step, float* loss,
                                const float* pixels, const float* grad, const MapSize& size,
                                const VariationScale& variation, const AdamOptions& options,
                                double* workspace, simt::StreamHandle stream) {
  auto* rate_and_v_scale = reinterpret_cast<float*>(workspace + total_variation_workspace(size));
  const AdamConstants constants = count_adam_step(step, options, rate_and_v_scale, stream);
  simt::launch(kernel, variation_grid(name, size), stream, workspace, updated, m, v, pixels, grad,
               rate_and_v_scale, size, variation_blocks_down(size),
               static_cast<float>(variation.gradient), constants);
  launch_variation_loss(loss, workspace, size, variation.loss, stream);
}

struct PixelUpdateOnePass {
  static void launch(float* updated, float* m, float* v, std::int64_t* step, float* loss,
                     const float* pixels, float* grad, const MapSize& size,
                     const VariationScale& variation, const AdamOptions& options, double* workspace,
                     simt::StreamHandle stream) {
    launch_pixel_update(pixel_update_kernel, "pixel_update", updated, m, v, step, loss, pixels,
                        grad, size, variation, options, workspace, stream);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
