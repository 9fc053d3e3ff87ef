// SPDX-License-Identifier: MIT
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/blocks.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/common/pack.cuh"
#include "kernels/preprocess/preprocess.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;

struct Pixel {
  float red, green, blue;
};

/// A thread takes a pixel: three loads, of which a warp's fill whole lines between them, and one
/// store of 16 bytes, or two of float. The grid strides over the rest. Bound by memory: 12 bytes
/// read and 8 values written.
template <class T, int width>
__global__ void __launch_bounds__(threads)
    preprocess_padded_kernel(T* y, const float* pixels, Pixel mean, std::int64_t pixel_count) {
  const std::int64_t stride = std::int64_t{gridDim.x} * blockDim.x;
  const float means[3] = {mean.red, mean.green, mean.blue};
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < pixel_count;
       i += stride) {
    Pack<T, width> packs[padded_channels / width];
#pragma unroll
    for (int c = 0; c < padded_channels; ++c) {
      const float value = c < 3 ? pixels[3 * i + c] - means[c] : 0;
      packs[c / width].values[c % width] = static_cast<T>(value);
    }
#pragma unroll
    for (int part = 0; part < padded_channels / width; ++part) {
      store_pack<width>(y + padded_channels * i + width * part, packs[part]);
    }
  }
}

}  // namespace

template <class T>
void preprocess_padded(T* y, const float* pixels, const std::array<float, 3>& mean,
                       std::int64_t pixel_count, Stream stream) {
  const Pixel mean_pixel{mean[0], mean[1], mean[2]};
  const bool packed = can_pack<T>(widest<T>, padded_channels, {y});
  const simt::Grid grid{"preprocess_padded", {blocks_for(pixel_count, threads)}, {threads}};
  simt::launch(packed ? preprocess_padded_kernel<T, widest<T>> : preprocess_padded_kernel<T, 1>,
               grid, stream, y, pixels, mean_pixel, pixel_count);
}

template void preprocess_padded(float*, const float*, const std::array<float, 3>&, std::int64_t,
                                Stream);
template void preprocess_padded(bfloat16*, const float*, const std::array<float, 3>&, std::int64_t,
                                Stream);
template void preprocess_padded(float16*, const float*, const std::array<float, 3>&, std::int64_t,
                                Stream);

}  // namespace impasto::kernels::IMPASTO_DEVICE
