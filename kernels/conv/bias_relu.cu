// SPDX-License-Identifier: MIT
// What is left of conv_forward where a library computes the sums alone.
#include <algorithm>

#include "kernels/common/bfloat16.hpp"
#include "kernels/common/blocks.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/common/pack.cuh"
#include "kernels/conv/conv.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;
constexpr int pixels_at_once = 4;

/// A thread takes a pack of channels, `width` of them, and loads its bias once. It goes from pixel
/// to pixel, four at a time, and loads all four before it stores one: a store might be what the next
/// load reads, as far as the compiler knows. threadIdx.x is the pack and y the pixel, so that a
/// block's threads read neighbours without a division. Bound by memory: each value is read and
/// written once, and a small map is still in the L2 cache, where the library has left it.
template <class T, int width>
__global__ void __launch_bounds__(threads)
    bias_relu_kernel(T* y, const float* bias, std::int64_t pixels, int channels, bool relu) {
  constexpr int part = std::min(width, widest<float>);
  const std::int64_t first = std::int64_t{blockIdx.x} * blockDim.y + threadIdx.y;
  const std::int64_t stride = std::int64_t{gridDim.x} * blockDim.y;
  const int step = static_cast<int>(blockDim.x) * width;
  for (int channel = static_cast<int>(threadIdx.x) * width; channel < channels; channel += step) {
    Pack<float, part> added[width / part];
#pragma unroll
    for (int p = 0; p < width / part; ++p) added[p] = load_pack<part>(bias + channel + p * part);
    for (std::int64_t begin = first; begin < pixels; begin += pixels_at_once * stride) {
      Pack<T, width> values[pixels_at_once];
#pragma unroll
      for (int i = 0; i < pixels_at_once; ++i) {
        const std::int64_t pixel = begin + i * stride;
        if (pixel < pixels) values[i] = load_pack<width>(y + pixel * channels + channel);
      }
#pragma unroll
      for (int i = 0; i < pixels_at_once; ++i) {
        const std::int64_t pixel = begin + i * stride;
        if (pixel >= pixels) continue;
#pragma unroll
        for (int v = 0; v < width; ++v) {
          const float sum =
              static_cast<float>(values[i].values[v]) + added[v / part].values[v % part];
          values[i].values[v] = static_cast<T>(relu && sum < 0 ? 0.0F : sum);
        }
        store_pack<width>(y + pixel * channels + channel, values[i]);
      }
    }
  }
}

}  // namespace

template <class T>
void bias_relu(T* y, const float* bias, const MapSize& size, bool relu, Stream stream) {
  constexpr int pack = widest<T>;
  const bool packed = can_pack<T>(pack, size.channels, {y}) &&
                      can_pack<float>(widest<float>, size.channels, {bias});
  const std::int64_t packs = size.channels / (packed ? pack : 1);
  const auto columns = static_cast<unsigned>(std::clamp<std::int64_t>(packs, 1, threads));
  const unsigned rows = threads / columns;
  const std::int64_t pixels = size.batch * size.pixels();
  const simt::Grid grid{
      "bias_relu", {blocks_for(pixels, std::int64_t{rows} * pixels_at_once)}, {columns, rows}};
  simt::launch(packed ? bias_relu_kernel<T, pack> : bias_relu_kernel<T, 1>, grid, stream, y, bias,
               pixels, static_cast<int>(size.channels), relu);
}

template void bias_relu(float*, const float*, const MapSize&, bool, Stream);
template void bias_relu(bfloat16*, const float*, const MapSize&, bool, Stream);
template void bias_relu(float16*, const float*, const MapSize&, bool, Stream);

}  // namespace impasto::kernels::IMPASTO_DEVICE
