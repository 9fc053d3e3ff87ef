// SPDX-License-Identifier: MIT
#include "kernels/clamp/clamp.hpp"
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/blocks.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/common/pack.cuh"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;

/// A thread takes `width` values at a time; the grid strides over the rest. Bound by memory.
template <class T, int width>
__global__ void __launch_bounds__(threads)
    clamp_kernel(T* y, const T* x, float lowest, float highest, std::int64_t count) {
  const std::int64_t stride = std::int64_t{gridDim.x} * threads * width;
  for (std::int64_t i = (std::int64_t{blockIdx.x} * threads + threadIdx.x) * width; i < count;
       i += stride) {
    auto pack = load_pack<width>(x + i);
#pragma unroll
    for (int j = 0; j < width; ++j) {
      const auto value = static_cast<float>(pack.values[j]);
      pack.values[j] = static_cast<T>(clamped(value, lowest, highest));
    }
    store_pack<width>(y + i, pack);
  }
}

}  // namespace

template <class T>
void clamp(T* y, const T* x, double lowest, double highest, std::int64_t count, Stream stream) {
  const bool packed = can_pack<T>(widest<T>, count, {y, x});
  const simt::Grid grid{
      "clamp", {blocks_for(count, threads * (packed ? widest<T> : 1))}, {threads}};
  simt::launch(packed ? clamp_kernel<T, widest<T>> : clamp_kernel<T, 1>, grid, stream, y, x,
               static_cast<float>(lowest), static_cast<float>(highest), count);
}

template void clamp(float*, const float*, double, double, std::int64_t, Stream);
template void clamp(bfloat16*, const bfloat16*, double, double, std::int64_t, Stream);
template void clamp(float16*, const float16*, double, double, std::int64_t, Stream);

}  // namespace impasto::kernels::IMPASTO_DEVICE
