// SPDX-License-Identifier: MIT
#include "kernels/common/blocks.hpp"
#include "kernels/common/reduce.cuh"
#include "kernels/style_loss/style_matrix.cuh"
#include "simt/launch.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;
constexpr int most_blocks = 64;  // per image; few enough for one warp to sum

unsigned blocks_per_image(std::int64_t channels) {
  return blocks_for(channels * channels, threads * 4, most_blocks);
}

/// M, and each block's sum of D². A thread takes `group` neighbouring values at a time, and the
/// image's blocks stride over the matrix; blockIdx.y is the image. In double, as on the CPU: near
/// the end of an optimisation scale·G and the target agree in their leading digits. Bound by the
/// launch itself: three times C² ≤ 2¹⁸ values are moved, 3 MB.
///
/// Each layer has its own launch: its G is there as soon as its convolution is done, and in a CUDA
/// graph its loss runs beside the next layer's convolution. One launch for all layers would wait
/// for the last one, and keep the backward pass waiting.
template <int group>
__global__ void __launch_bounds__(threads)
    style_loss_kernel(double* sums, StyleMatrixOutput matrix, const float* gram,
                      const float* target, std::int64_t count, StyleLossScale scale) {
  SIMT_SHARED(double, warp_sums, [32]);
  const std::int64_t stride = std::int64_t{gridDim.x} * threads * group;
  const std::int64_t first = (std::int64_t{blockIdx.x} * threads + threadIdx.x) * group;
  const std::int64_t image = blockIdx.y * count;
  double sum = 0;
  for (std::int64_t i = first; i < count; i += stride) {
    const auto g = load_pack<group>(gram + image + i);
    const auto a = load_pack<group>(target + i);
    Pack<float, group> result;
#pragma unroll
    for (int v = 0; v < group; ++v) {
      const double difference =
          scale.gram * static_cast<double>(g.values[v]) - static_cast<double>(a.values[v]);
      sum += difference * difference;
      result.values[v] = static_cast<float>(scale.gradient * difference);
    }
    store_matrix_pack<group>(matrix, image + i, result);
  }
  sum = block_sum(sum, warp_sums);
  if (threadIdx.x == 0) sums[blockIdx.y * gridDim.x + blockIdx.x] = sum;
}

/// The loss from the sums of blocks, one warp per image.
__global__ void __launch_bounds__(32)
    style_loss_sum_kernel(float* loss, const double* sums, int blocks, double scale) {
  double sum = 0;
  for (int i = static_cast<int>(threadIdx.x); i < blocks; i += 32) {
    sum += sums[std::int64_t{blockIdx.x} * blocks + i];
  }
  sum = warp_sum(sum);
  if (threadIdx.x == 0) loss[blockIdx.x] = static_cast<float>(scale * sum);
}

}  // namespace

std::int64_t style_loss_workspace(std::int64_t batch, std::int64_t channels) {
  return batch * blocks_per_image(channels);
}

void style_loss(float* loss, const StyleMatrixOutput& matrix, const float* gram,
                const float* target, std::int64_t batch, std::int64_t channels,
                const StyleLossScale& scale, double* workspace, Stream stream) {
  const std::int64_t count = channels * channels;
  const unsigned blocks = blocks_per_image(channels);
  const auto images = static_cast<unsigned>(batch);
  const bool packed =
      can_pack<float>(4, count, {gram, target}) && can_pack_matrix(4, count, matrix);
  simt::launch(packed ? style_loss_kernel<4> : style_loss_kernel<1>,
               {"style_loss", {blocks, images}, {threads}}, stream, workspace, matrix, gram, target,
               count, scale);
  simt::launch(style_loss_sum_kernel, {"style_loss_sum", {images}, {32}}, stream, loss, workspace,
               static_cast<int>(blocks), scale.loss);
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
