// SPDX-License-Identifier: MIT
#include <array>

#include "kernels/common/tuning.hpp"
#include "kernels/total_variation/rung_1_naive.cuh"
#include "kernels/total_variation/rung_2_column.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr std::array ladder = {
    VariationRung::of_pixels<VariationNaive>(
        {.name = "rung_1_naive", .idea = "a value and its four neighbours"}),
    VariationRung::of_pixels<VariationColumn>(
        {.name = "rung_2_column", .idea = "the values above stay in registers", .ships = true}),
};

}  // namespace

std::span<const VariationRung> total_variation_ladder() { return ladder; }

void total_variation(float* loss, float* grad_pixels, const float* pixels, const MapSize& size,
                     const VariationScale& scale, double* workspace, unsigned* blocks_done,
                     Stream stream) {
  const VariationRung& rung =
      shipped_rung<float>(total_variation_ladder(), "total_variation", Arithmetic::fp32, size);
  rung.launch.f32(loss, grad_pixels, pixels, size, scale, workspace, blocks_done, stream);
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
