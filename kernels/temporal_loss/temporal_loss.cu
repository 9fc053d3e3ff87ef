// SPDX-License-Identifier: MIT
#include "kernels/common/loss_sum.cuh"
#include "kernels/temporal_loss/temporal_loss.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;

/// A block takes its share of one image, a thread one value at a time, so that a warp reads 128 bytes in
/// a row; the mask's values come from cache for all channels but the first. Bound by memory. A square is
/// taken in float, and added in double. Four blocks per SM: left to itself ptxas keeps to 32 registers for
/// sm_80 and sm_90a, and spills.
template <bool with_gradient>
__global__ void __launch_bounds__(threads, 4)
    temporal_loss_kernel(LossSum losses, float* grad_pixels, const float* pixels,
                         const float* target, const float* mask, std::int64_t per_image,
                         std::int64_t channels, float scale) {
  SIMT_SHARED(double, warp_sums, [32]);
  const std::int64_t image = blockIdx.y * per_image;
  const std::int64_t stride = std::int64_t{gridDim.x} * threads;
  double sum = 0;
  for (std::int64_t at = std::int64_t{blockIdx.x} * threads + threadIdx.x; at < per_image;
       at += stride) {
    const std::int64_t i = image + at;
    const float difference = pixels[i] - target[i];
    const float weighted = mask[i / channels] * difference;
    sum += static_cast<double>(weighted * difference);
    if constexpr (with_gradient) grad_pixels[i] += scale * weighted;
  }
  sum = block_sum(sum, warp_sums);
  if (threadIdx.x == 0) {
    losses.block_sums[std::int64_t{blockIdx.y} * gridDim.x + blockIdx.x] = sum;
  }
  add_losses(losses, gridDim.y, gridDim.x, warp_sums);
}

}  // namespace

void temporal_loss(float* loss, float* grad_pixels, const float* pixels, const float* target,
                   const float* mask, const MapSize& size, const TemporalLossScale& scale,
                   double* workspace, unsigned* blocks_done, Stream stream) {
  const std::int64_t blocks = sum_blocks(size.per_image());
  const simt::Grid grid{"temporal_loss",
                        {static_cast<unsigned>(blocks), static_cast<unsigned>(size.batch)},
                        {threads}};
  simt::launch(grad_pixels == nullptr ? temporal_loss_kernel<false> : temporal_loss_kernel<true>,
               grid, stream, LossSum{loss, workspace, blocks_done, scale.loss}, grad_pixels, pixels,
               target, mask, size.per_image(), size.channels, static_cast<float>(scale.gradient));
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
