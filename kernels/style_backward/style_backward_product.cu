// SPDX-License-Identifier: MIT
// What is left of style_backward around a library's product: before it, M is rounded to the type of
// F; after it, the mask is applied.
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/blocks.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/style_backward/style_backward.hpp"
#include "kernels/style_loss/style_matrix.cuh"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;
constexpr int maximum_blocks = 64;  // each stores a maximum; the next kernel's blocks read them all

/// The largest of all lanes' values.
__device__ __forceinline__ unsigned warp_maximum(unsigned value) {
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    const unsigned other = __shfl_xor_sync(0xffffffffU, value, lanes);
    value = other > value ? other : value;
  }
  return value;
}

/// The largest magnitude of a block's share of M, as bits: without their signs, floats are ordered
/// as their bits are. A thread strides over the matrices, so that a warp reads neighbours; every
/// block writes one value. Bound by the launch: there are at most 2¹⁸ values an image.
__global__ void __launch_bounds__(threads)
    largest_magnitude_kernel(unsigned* largest_of_block, StyleMatrix matrix, std::int64_t count) {
  SIMT_SHARED(unsigned, largest_of_warp, [threads / 32]);
  const std::int64_t stride = std::int64_t{gridDim.x} * blockDim.x;
  unsigned largest = 0;
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count;
       i += stride) {
    const unsigned magnitude = __float_as_uint(load_matrix_value(matrix, i)) & 0x7fffffffU;
    largest = magnitude > largest ? magnitude : largest;
  }
  largest = warp_maximum(largest);
  if (threadIdx.x % 32 == 0) largest_of_warp[threadIdx.x / 32] = largest;
  __syncthreads();
  if (threadIdx.x >= 32) return;
  largest = warp_maximum(threadIdx.x < threads / 32 ? largest_of_warp[threadIdx.x] : 0);
  if (threadIdx.x == 0) largest_of_block[blockIdx.x] = largest;
}

/// A thread scales values of M by the power of two that brings the largest of all to [2¹⁴, 2¹⁵),
/// and rounds them; a warp's values are neighbours. Each warp finds the largest again from the
/// blocks' maxima. The first thread stores what undoes the scale as the product's α, and β beside
/// it.
template <class T>
__global__ void __launch_bounds__(threads)
    round_for_product_kernel(T* rounded, ProductScalars* scalars, const unsigned* largest_of_block,
                             int largest_count, StyleMatrix matrix, std::int64_t count,
                             float beta) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  unsigned largest = 0;
  for (int i = lane; i < largest_count; i += 32) {
    const unsigned other = largest_of_block[i];
    largest = other > largest ? other : largest;
  }
  // Biased exponents: 127 is 2⁰. The limits keep both the scale and its inverse normal.
  unsigned exponent = warp_maximum(largest) >> 23U;
  exponent = exponent < 15 ? 15 : exponent > 254 ? 254 : exponent;
  const float scale = __uint_as_float((268 - exponent) << 23U);
  const std::int64_t first = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (first == 0) *scalars = {__uint_as_float((exponent - 14) << 23U), beta};
  const std::int64_t stride = std::int64_t{gridDim.x} * blockDim.x;
  for (std::int64_t i = first; i < count; i += stride) {
    rounded[i] = static_cast<T>(load_matrix_value(matrix, i) * scale);
  }
}

/// A thread takes `width` neighbouring values of both maps at a time, 16 bytes; the grid strides
/// over the maps. Bound by memory: two values read and one written. A small gradient is still in
/// the L2 cache, where the product has left it.
template <class T, int width>
__global__ void __launch_bounds__(threads)
    relu_mask_kernel(T* grad, const T* features, std::int64_t count) {
  const std::int64_t stride = std::int64_t{gridDim.x} * blockDim.x;
  const std::int64_t first = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  for (std::int64_t i = first; i < count / width; i += stride) {
    const auto feature = load_pack<width>(features + width * i);
    auto held = load_pack<width>(grad + width * i);
#pragma unroll
    for (int v = 0; v < width; ++v) {
      if (!(static_cast<float>(feature.values[v]) > 0)) held.values[v] = static_cast<T>(0.0F);
    }
    store_pack<width>(grad + width * i, held);
  }
  const std::int64_t left = count / width * width + first;
  if (left < count && !(static_cast<float>(features[left]) > 0)) grad[left] = static_cast<T>(0.0F);
}

/// The partial maxima, 256 bytes, then the rounded matrices.
constexpr std::int64_t maxima_floats = maximum_blocks;

}  // namespace

std::int64_t product_workspace(const MapSize& size) {
  return maxima_floats + size.batch * size.channels * size.channels;
}

template <class T>
const T* round_for_product(ProductScalars* scalars, const StyleMatrix& matrix, const MapSize& size,
                           bool accumulate, float* workspace, Stream stream) {
  const std::int64_t count = size.batch * size.channels * size.channels;
  auto* largest = reinterpret_cast<unsigned*>(workspace);
  T* rounded = reinterpret_cast<T*>(workspace + maxima_floats);
  const unsigned maxima = blocks_for(count, 4 * threads, maximum_blocks);
  simt::launch(largest_magnitude_kernel, {"largest_magnitude", {maxima}, {threads}}, stream,
               largest, matrix, count);
  simt::launch(round_for_product_kernel<T>,
               {"round_for_product", {blocks_for(count, 4 * threads)}, {threads}}, stream, rounded,
               scalars, largest, static_cast<int>(maxima), matrix, count, accumulate ? 1.0F : 0.0F);
  return rounded;
}

template <class T>
void relu_mask(T* grad, const T* features, std::int64_t count, Stream stream) {
  constexpr int width = widest<T>;
  const bool packed = can_pack<T>(width, width, {grad, features});
  const int group = packed ? width : 1;
  const simt::Grid grid{"relu_mask", {blocks_for(count, threads * group)}, {threads}};
  simt::launch(packed ? relu_mask_kernel<T, width> : relu_mask_kernel<T, 1>, grid, stream, grad,
               features, count);
}

template const float* round_for_product(ProductScalars*, const StyleMatrix&, const MapSize&, bool,
                                        float*, Stream);
template const bfloat16* round_for_product(ProductScalars*, const StyleMatrix&, const MapSize&,
                                           bool, float*, Stream);
template const float16* round_for_product(ProductScalars*, const StyleMatrix&, const MapSize&, bool,
                                          float*, Stream);
template void relu_mask(float*, const float*, std::int64_t, Stream);
template void relu_mask(bfloat16*, const bfloat16*, std::int64_t, Stream);
template void relu_mask(float16*, const float16*, std::int64_t, Stream);

}  // namespace impasto::kernels::IMPASTO_DEVICE
