// SPDX-License-Identifier: MIT
#include "kernels/common/blocks.hpp"
#include "kernels/common/epilogue.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/common/pack.cuh"
#include "kernels/crop/crop.hpp"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;

/// A row of the rectangle and one of the array it is part of, in values.
struct CropSize {
  std::int64_t rows, row;      ///< of the rectangle
  std::int64_t height, width;  ///< of the array
  std::int64_t top, left;
};

/// A thread takes `width` neighbouring channels of a pixel of the rectangle at a time; blockIdx.y is
/// the image. Bound by memory.
template <class T, int width, class Epilogue>
__global__ void __launch_bounds__(threads)
    crop_rectangle_kernel(T* to, const T* from, CropSize size, bool inwards) {
  const std::int64_t image = blockIdx.y;
  const std::int64_t stride = std::int64_t{gridDim.x} * threads * width;
  for (std::int64_t i = (std::int64_t{blockIdx.x} * threads + threadIdx.x) * width;
       i < size.rows * size.row; i += stride) {
    const std::int64_t row = image * size.height + size.top + i / size.row;
    const std::int64_t outer = row * size.width + size.left + i % size.row;
    const std::int64_t inner = image * size.rows * size.row + i;
    const auto pack = load_pack<width>(from + (inwards ? outer : inner));
    T* at = to + (inwards ? inner : outer);
    Pack<T, width> result;
    if constexpr (Epilogue::reads_grad) result = load_pack<width>(at);
#pragma unroll
    for (int j = 0; j < width; ++j) {
      Epilogue::join(&result.values[j], static_cast<float>(pack.values[j]), &pack.values[j]);
    }
    store_pack<width>(at, result);
  }
}

/// The same over all pixels of the array, of which those outside the rectangle get nothing, and are
/// masked or overwritten.
template <class T, int width, class Epilogue>
__global__ void __launch_bounds__(threads)
    crop_backward_kernel(T* grad_x, const T* grad_y, const T* x, CropSize size) {
  const std::int64_t image = blockIdx.y;
  const std::int64_t per_image = size.height * size.width;
  const std::int64_t stride = std::int64_t{gridDim.x} * threads * width;
  for (std::int64_t i = (std::int64_t{blockIdx.x} * threads + threadIdx.x) * width; i < per_image;
       i += stride) {
    const std::int64_t h = i / size.width - size.top;
    const std::int64_t w = i % size.width - size.left;
    const bool inside = h >= 0 && h < size.rows && w >= 0 && w < size.row;
    const std::int64_t outer = image * per_image + i;
    Pack<T, width> pack;
    Pack<T, width> result;
    Pack<T, width> features;
    if (inside) pack = load_pack<width>(grad_y + (image * size.rows + h) * size.row + w);
    if constexpr (Epilogue::reads_grad) result = load_pack<width>(grad_x + outer);
    if constexpr (Epilogue::reads_feature) features = load_pack<width>(x + outer);
#pragma unroll
    for (int j = 0; j < width; ++j) {
      Epilogue::join(&result.values[j], inside ? static_cast<float>(pack.values[j]) : 0.0F,
                     &features.values[j]);
    }
    store_pack<width>(grad_x + outer, result);
  }
}

CropSize crop_size(const MapSize& y, const MapSize& x, const Corner& corner) {
  return {y.height,   y.width * y.channels,    x.height, x.width * x.channels,
          corner.top, corner.left * x.channels};
}

template <class Epilogue, class T>
void launch_rectangle(const char* name, T* to, const T* from, const MapSize& y, const MapSize& x,
                      const Corner& corner, bool inwards, Stream stream) {
  const bool packed = can_pack<T>(widest<T>, x.channels, {to, from});
  const std::int64_t per_block = threads * (packed ? widest<T> : 1);
  const simt::Grid grid{
      name, {blocks_for(y.per_image(), per_block), static_cast<unsigned>(y.batch)}, {threads}};
  simt::launch(packed ? crop_rectangle_kernel<T, widest<T>, Epilogue>
                      : crop_rectangle_kernel<T, 1, Epilogue>,
               grid, stream, to, from, crop_size(y, x, corner), inwards);
}

template <class Epilogue, class T>
void launch_backward(T* grad_x, const T* grad_y, const T* features, const MapSize& y,
                     const MapSize& x, const Corner& corner, Stream stream) {
  if constexpr (Epilogue::reads_grad && !Epilogue::reads_feature) {
    launch_rectangle<Epilogue>("crop_backward", grad_x, grad_y, y, x, corner, false, stream);
  } else {
    const bool packed = can_pack<T>(widest<T>, x.channels, {grad_x, grad_y, features});
    const std::int64_t per_block = threads * (packed ? widest<T> : 1);
    const simt::Grid grid{"crop_backward",
                          {blocks_for(x.per_image(), per_block), static_cast<unsigned>(x.batch)},
                          {threads}};
    simt::launch(packed ? crop_backward_kernel<T, widest<T>, Epilogue>
                        : crop_backward_kernel<T, 1, Epilogue>,
                 grid, stream, grad_x, grad_y, features, crop_size(y, x, corner));
  }
}

}  // namespace

template <class T>
void crop_forward(T* y, const T* x, const MapSize& y_size, const MapSize& x_size,
                  const Corner& corner, Stream stream) {
  launch_rectangle<FixedEpilogue<false, false>>("crop_forward", y, x, y_size, x_size, corner, true,
                                                stream);
}

template <class T>
void crop_backward(T* grad_x, const T* grad_y, const T* x, const MapSize& y_size,
                   const MapSize& x_size, const Corner& corner, const GradientEpilogue& epilogue,
                   Stream stream) {
  with_epilogue(epilogue, [&]<class Epilogue>(Epilogue) {
    launch_backward<Epilogue>(grad_x, grad_y, x, y_size, x_size, corner, stream);
  });
}

#define IMPASTO_CROP(T)                                                                            \
  template void crop_forward(T*, const T*, const MapSize&, const MapSize&, const Corner&, Stream); \
  template void crop_backward(T*, const T*, const T*, const MapSize&, const MapSize&,              \
                              const Corner&, const GradientEpilogue&, Stream);
IMPASTO_CROP(float)
IMPASTO_CROP(bfloat16)
IMPASTO_CROP(float16)
#undef IMPASTO_CROP

}  // namespace impasto::kernels::IMPASTO_DEVICE
