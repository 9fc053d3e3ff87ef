// SPDX-License-Identifier: MIT
#include "kernels/common/loss_sum.cuh"
#include "kernels/variation/slopes.hpp"
#include "kernels/variation/variation.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;

/// A block takes its share of one image, a thread one value at a time: it adds what the value's own
/// differences come to, and gathers the gradient from these and from those of its neighbours, so that
/// no two threads write to one place. The neighbours come from cache. Bound by memory, with a power by
/// its 3 powers per value. Four blocks per SM: left to itself ptxas keeps to 48 registers for sm_100,
/// and spills.
template <bool with_gradient>
__global__ void __launch_bounds__(threads, 4)
    variation_kernel(LossSum losses, float* grad_pixels, const float* pixels, std::int64_t height,
                     std::int64_t row, std::int64_t channels, VariationSlopes slopes, float scale) {
  SIMT_SHARED(double, warp_sums, [32]);
  const std::int64_t per_image = height * row;
  const float* image = pixels + blockIdx.y * per_image;
  const std::int64_t stride = std::int64_t{gridDim.x} * threads;
  double sum = 0;
  for (std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x; i < per_image;
       i += stride) {
    const std::int64_t h = i / row;
    const std::int64_t at = i % row;
    const VariationSlopes::At here = slopes(image, h, at, height, row, channels);
    sum += static_cast<double>(here.value);
    if constexpr (with_gradient) {
      grad_pixels[blockIdx.y * per_image + i] +=
          scale * slopes.gradient(here, image, h, at, height, row, channels);
    }
  }
  sum = block_sum(sum, warp_sums);
  if (threadIdx.x == 0) {
    losses.block_sums[std::int64_t{blockIdx.y} * gridDim.x + blockIdx.x] = sum;
  }
  add_losses(losses, gridDim.y, gridDim.x, warp_sums);
}

}  // namespace

void variation(float* loss, float* grad_pixels, const float* pixels, const MapSize& size,
               const VariationOptions& options, double* workspace, unsigned* blocks_done,
               Stream stream) {
  const std::int64_t blocks = sum_blocks(size.per_image());
  const simt::Grid grid{
      "variation", {static_cast<unsigned>(blocks), static_cast<unsigned>(size.batch)}, {threads}};
  simt::launch(grad_pixels == nullptr ? variation_kernel<false> : variation_kernel<true>, grid,
               stream, LossSum{loss, workspace, blocks_done, options.loss}, grad_pixels, pixels,
               size.height, size.width * size.channels, size.channels,
               VariationSlopes(size, options), static_cast<float>(options.gradient));
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
