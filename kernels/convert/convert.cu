// SPDX-License-Identifier: MIT
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/blocks.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/common/pack.cuh"
#include "kernels/convert/convert.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;

/// One thread takes `group` neighbouring values at a time: with 4, one load of 16 bytes on the side
/// that is float. The grid strides over the rest. Bound by memory.
template <int group, class To, class From>
__global__ void __launch_bounds__(threads)
    convert_kernel(To* y, const From* x, std::int64_t count) {
  const std::int64_t stride = std::int64_t{gridDim.x} * blockDim.x;
  const std::int64_t first = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  for (std::int64_t i = first; i < count / group; i += stride) {
    const auto pack = load_pack<group>(x + group * i);
    Pack<To, group> result;
#pragma unroll
    for (int j = 0; j < group; ++j) {
      result.values[j] = static_cast<To>(static_cast<float>(pack.values[j]));
    }
    store_pack<group>(y + group * i, result);
  }
  // Up to three values are left where their number is no multiple of 4.
  const std::int64_t left = count / group * group + first;
  if (left < count) y[left] = static_cast<To>(static_cast<float>(x[left]));
}

}  // namespace

template <class To, class From>
void convert(To* y, const From* x, std::int64_t count, Stream stream) {
  const bool packed = can_pack<To>(4, 4, {y}) && can_pack<From>(4, 4, {x});
  const int group = packed ? 4 : 1;
  const simt::Grid grid{"convert", {blocks_for(count, threads * group)}, {threads}};
  simt::launch(packed ? convert_kernel<4, To, From> : convert_kernel<1, To, From>, grid, stream, y,
               x, count);
}

template void convert(float*, const float*, std::int64_t, Stream);
template void convert(bfloat16*, const float*, std::int64_t, Stream);
template void convert(float16*, const float*, std::int64_t, Stream);
template void convert(float*, const bfloat16*, std::int64_t, Stream);
template void convert(float*, const float16*, std::int64_t, Stream);

}  // namespace impasto::kernels::IMPASTO_DEVICE
