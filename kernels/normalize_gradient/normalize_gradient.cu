// SPDX-License-Identifier: MIT
#include <cmath>

#include "kernels/common/epilogue.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/common/loss_sum.cuh"
#include "kernels/common/pack.cuh"
#include "kernels/normalize_gradient/normalize_gradient.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;

/// A block adds the absolute values of its share of one image, a thread a pack of 16 bytes at a time:
/// a pack in float, the packs in double. Bound by memory.
template <class T, int width>
__global__ void __launch_bounds__(threads)
    norm_kernel(double* block_sums, const T* g, std::int64_t per_image) {
  SIMT_SHARED(double, warp_sums, [32]);
  g += blockIdx.y * per_image;
  const std::int64_t stride = std::int64_t{gridDim.x} * threads * width;
  double sum = 0;
  for (std::int64_t i = (std::int64_t{blockIdx.x} * threads + threadIdx.x) * width; i < per_image;
       i += stride) {
    const auto pack = load_pack<width>(g + i);
    float pack_sum = 0;
#pragma unroll
    for (int j = 0; j < width; ++j) pack_sum += std::abs(static_cast<float>(pack.values[j]));
    sum += static_cast<double>(pack_sum);
  }
  sum = block_sum(sum, warp_sums);
  if (threadIdx.x == 0) block_sums[std::int64_t{blockIdx.y} * gridDim.x + blockIdx.x] = sum;
}

/// A thread takes a pack of values at a time; blockIdx.y is the image. Bound by memory.
template <class T, int width, class Epilogue>
__global__ void __launch_bounds__(threads)
    normalize_kernel(T* grad, const T* g, const T* x, const double* norms, std::int64_t per_image,
                     double to, double least) {
  const std::int64_t first = blockIdx.y * per_image;
  const auto factor = static_cast<float>(to / (norms[blockIdx.y] + least));
  const std::int64_t stride = std::int64_t{gridDim.x} * threads * width;
  for (std::int64_t i = (std::int64_t{blockIdx.x} * threads + threadIdx.x) * width; i < per_image;
       i += stride) {
    const auto pack = load_pack<width>(g + first + i);
    Pack<T, width> result;
    Pack<T, width> features;
    if constexpr (Epilogue::reads_grad) result = load_pack<width>(grad + first + i);
    if constexpr (Epilogue::reads_feature) features = load_pack<width>(x + first + i);
#pragma unroll
    for (int j = 0; j < width; ++j) {
      Epilogue::join(&result.values[j], factor * static_cast<float>(pack.values[j]),
                     &features.values[j]);
    }
    store_pack<width>(grad + first + i, result);
  }
}

}  // namespace

template <class T>
void normalize_gradient(T* grad_x, const T* g, const T* x, const MapSize& size,
                        const GradientNorm& to, const GradientEpilogue& epilogue, double* workspace,
                        Stream stream) {
  const std::int64_t count = size.per_image();
  const std::int64_t blocks = sum_blocks(count);
  const auto images = static_cast<unsigned>(size.batch);
  const bool packed = can_pack<T>(widest<T>, count, {grad_x, g, x});
  simt::launch(packed ? norm_kernel<T, widest<T>> : norm_kernel<T, 1>,
               {"gradient_norm", {static_cast<unsigned>(blocks), images}, {threads}}, stream,
               workspace, g, count);
  double* norms = workspace + size.batch * blocks;
  simt::launch(loss_sum_kernel<double>, {"loss_sum", {images}, {loss_sum_threads}}, stream, norms,
               static_cast<const double*>(workspace), blocks, 1.0);
  const std::int64_t per_block = threads * (packed ? widest<T> : 1);
  const simt::Grid grid{"normalize_gradient", {blocks_for(count, per_block), images}, {threads}};
  with_epilogue(epilogue, [&]<class Epilogue>(Epilogue) {
    simt::launch(
        packed ? normalize_kernel<T, widest<T>, Epilogue> : normalize_kernel<T, 1, Epilogue>, grid,
        stream, grad_x, g, x, static_cast<const double*>(norms), count, to.norm, to.least);
  });
}

#define IMPASTO_NORMALIZE_GRADIENT(T)                                                           \
  template void normalize_gradient(T*, const T*, const T*, const MapSize&, const GradientNorm&, \
                                   const GradientEpilogue&, double*, Stream);
IMPASTO_NORMALIZE_GRADIENT(float)
IMPASTO_NORMALIZE_GRADIENT(bfloat16)
IMPASTO_NORMALIZE_GRADIENT(float16)
#undef IMPASTO_NORMALIZE_GRADIENT

}  // namespace impasto::kernels::IMPASTO_DEVICE
