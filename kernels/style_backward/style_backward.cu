// SPDX-License-Identifier: MIT
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/blocks.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/style_backward/round_matrix.cuh"
#include "kernels/style_backward/style_backward.hpp"
#include "kernels/style_backward/style_backward_fp32.cuh"
#include "kernels/style_backward/style_backward_mma.cuh"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

std::int64_t round_up(std::int64_t count, std::int64_t unit) {
  return (count + unit - 1) / unit * unit;
}

/// In floats. The scales come first in the workspace, the rounded matrices after them, aligned.
std::int64_t scale_count(const MapSize& size) { return round_up(size.batch * size.channels, 4); }

template <class T>
RoundedMatrix<T> round_matrix(float* workspace, const float* matrix, const MapSize& size,
                              Stream stream) {
  const std::int64_t padded = round_up(size.channels, 8);
  T* values = reinterpret_cast<T*>(workspace + scale_count(size));
  const std::int64_t count = size.batch * size.channels;
  const unsigned blocks = blocks_for(count, round_matrix_threads / 32, count);
  simt::launch(round_matrix_kernel<T>, {"round_matrix", {blocks}, {round_matrix_threads}}, stream,
               values, workspace, matrix, count, static_cast<int>(size.channels),
               static_cast<int>(padded));
  return {values, workspace, static_cast<int>(padded)};
}

template <class T, int columns, bool packed>
void style_backward_in_tiles(T* grad, const T* features, const float* matrix, const MapSize& size,
                             const GradientEpilogue& epilogue, Arithmetic arithmetic,
                             float* workspace, Stream stream) {
  const auto C = static_cast<int>(size.channels);
  const std::int64_t pixel_tiles =
      round_up(size.pixels(), style_backward_rows) / style_backward_rows;
  const auto channel_tiles = static_cast<unsigned>(round_up(C, columns) / columns);
  const auto images = static_cast<unsigned>(size.batch);
  simt::Grid grid{"style_backward_fp32",
                  {static_cast<unsigned>(pixel_tiles), channel_tiles, images},
                  {style_backward_threads}};
  if (arithmetic == Arithmetic::fp32) {
    simt::launch(style_backward_fp32_kernel<T, columns, packed>, grid, stream, grad, features,
                 matrix, size.pixels(), C, epilogue);
    return;
  }
  const RoundedMatrix<T> rounded = round_matrix<T>(workspace, matrix, size, stream);
  constexpr std::size_t most_resident = 32U << 10U;
  const auto slices = static_cast<std::size_t>(round_up(C, 4 * widest<T>) / (4 * widest<T>));
  const bool resident = slices * matrix_slice_bytes<columns> <= most_resident;
  const std::size_t matrix_slices = resident ? slices : style_backward_stages;
  // Two blocks for each of an H100's processors, as long as the pixels last.
  const unsigned blocks_wanted = 264 / channel_tiles;
  grid.name = "style_backward_mma";
  grid.blocks.x = blocks_for(pixel_tiles, 1, blocks_wanted > 0 ? blocks_wanted : 1);
  grid.shared_bytes =
      style_backward_stages * feature_slice_bytes + matrix_slices * matrix_slice_bytes<columns>;
  simt::launch(style_backward_mma_kernel<T, columns, packed>, grid, stream, grad, features, rounded,
               size.pixels(), C, resident, epilogue);
}

}  // namespace

std::int64_t style_backward_workspace(const MapSize& size) {
  return scale_count(size) + size.batch * size.channels * round_up(size.channels, 8);
}

template <class T>
void style_backward(T* grad, const T* features, const float* matrix, const MapSize& size,
                    const GradientEpilogue& epilogue, Arithmetic arithmetic, float* workspace,
                    Stream stream) {
  const bool packed = can_pack<T>(widest<T>, size.channels, {grad, features}) &&
                      can_pack<float>(4, size.channels, {matrix});
  const auto run = packed ? size.channels <= 64 ? style_backward_in_tiles<T, 64, true>
                                                : style_backward_in_tiles<T, 128, true>
                   : size.channels <= 64 ? style_backward_in_tiles<T, 64, false>
                                         : style_backward_in_tiles<T, 128, false>;
  run(grad, features, matrix, size, epilogue, arithmetic, workspace, stream);
}

template void style_backward(float*, const float*, const float*, const MapSize&,
                             const GradientEpilogue&, Arithmetic, float*, Stream);
template void style_backward(bfloat16*, const bfloat16*, const float*, const MapSize&,
                             const GradientEpilogue&, Arithmetic, float*, Stream);
template void style_backward(float16*, const float16*, const float*, const MapSize&,
                             const GradientEpilogue&, Arithmetic, float*, Stream);

}  // namespace impasto::kernels::IMPASTO_DEVICE
