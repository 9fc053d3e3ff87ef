// SPDX-License-Identifier: MIT
#include "kernels/common/blocks.hpp"
#include "kernels/common/epilogue.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/common/pack.cuh"
#include "kernels/guide/guide.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;

/// A thread takes `width` neighbouring channels of a pixel at a time; blockIdx.y is the image. The
/// guide comes from cache: C/width threads read the same value. Bound by memory.
template <class T, int width, class Epilogue>
__global__ void __launch_bounds__(threads)
    guide_kernel(T* to, const T* from, const T* x, const float* guide, std::int64_t per_image,
                 std::int64_t channels) {
  to += blockIdx.y * per_image;
  from += blockIdx.y * per_image;
  x += blockIdx.y * per_image;
  const std::int64_t stride = std::int64_t{gridDim.x} * threads * width;
  for (std::int64_t i = (std::int64_t{blockIdx.x} * threads + threadIdx.x) * width; i < per_image;
       i += stride) {
    const float weight = guide[i / channels];
    const auto pack = load_pack<width>(from + i);
    Pack<T, width> result;
    Pack<T, width> features;
    if constexpr (Epilogue::reads_grad) result = load_pack<width>(to + i);
    if constexpr (Epilogue::reads_feature) features = load_pack<width>(x + i);
#pragma unroll
    for (int j = 0; j < width; ++j) {
      Epilogue::join(&result.values[j], weight * static_cast<float>(pack.values[j]),
                     &features.values[j]);
    }
    store_pack<width>(to + i, result);
  }
}

template <class T, class Epilogue>
void launch_guide(const char* name, T* to, const T* from, const T* x, const float* guide,
                  const MapSize& size, Stream stream) {
  const bool packed = can_pack<T>(widest<T>, size.channels, {to, from, x});
  const std::int64_t per_block = threads * (packed ? widest<T> : 1);
  const simt::Grid grid{
      name,
      {blocks_for(size.per_image(), per_block), static_cast<unsigned>(size.batch)},
      {threads}};
  simt::launch(packed ? guide_kernel<T, widest<T>, Epilogue> : guide_kernel<T, 1, Epilogue>, grid,
               stream, to, from, x, guide, size.per_image(), size.channels);
}

}  // namespace

template <class T>
void guide_forward(T* y, const T* x, const float* guide, const MapSize& size, Stream stream) {
  launch_guide<T, FixedEpilogue<false, false>>("guide_forward", y, x, x, guide, size, stream);
}

template <class T>
void guide_backward(T* grad_x, const T* grad_y, const T* x, const float* guide, const MapSize& size,
                    const GradientEpilogue& epilogue, Stream stream) {
  with_epilogue(epilogue, [&]<class Epilogue>(Epilogue) {
    launch_guide<T, Epilogue>("guide_backward", grad_x, grad_y, x, guide, size, stream);
  });
}

#define IMPASTO_GUIDE(T)                                                             \
  template void guide_forward(T*, const T*, const float*, const MapSize&, Stream);   \
  template void guide_backward(T*, const T*, const T*, const float*, const MapSize&, \
                               const GradientEpilogue&, Stream);
IMPASTO_GUIDE(float)
IMPASTO_GUIDE(bfloat16)
IMPASTO_GUIDE(float16)
#undef IMPASTO_GUIDE

}  // namespace impasto::kernels::IMPASTO_DEVICE
