// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/adam/adam_update.cuh"
#include "kernels/common/blocks.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// A thread updates one value with four loads and three stores of 4 bytes. They are coalesced, so
/// it moves no more than it must. But a warp has only 128 bytes of each array under way: bound by
/// the number of loads that an SM can have under way, not by memory.
template <class T>
__global__ void __launch_bounds__(256)
    adam_naive_kernel(T* pixels, T* m, T* v, std::int64_t* step, const T* grad, std::int64_t count,
                      AdamConstants constants, unsigned* blocks_done) {
  const AdamFactors factors = adam_factors(step, constants);
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < count) {
    // In registers: the compiler must assume that the arrays overlap, and would read values again
    // after each store.
    T pixel = pixels[i];
    T own_m = m[i];
    T own_v = v[i];
    adam_update(pixel, own_m, own_v, grad[i], factors, constants);
    pixels[i] = pixel;
    m[i] = own_m;
    v[i] = own_v;
  }
  count_step(step, blocks_done);
}

struct AdamNaive {
  static void launch(float* pixels, float* m, float* v, std::int64_t* step, const float* grad,
                     std::int64_t count, const AdamOptions& options, unsigned* blocks_done,
                     simt::StreamHandle stream) {
    const unsigned blocks = blocks_for(count, 256, count);
    simt::launch(adam_naive_kernel<float>, {"adam_naive", {blocks}, {256}}, stream, pixels, m, v,
                 step, grad, count, AdamConstants(options), blocks_done);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
