// SPDX-License-Identifier: MIT
#include <array>

#include "kernels/common/tuning.hpp"
#include "kernels/style_backward/rung_1_naive.cuh"
#include "kernels/style_backward/rung_2_register_tile.cuh"
#include "kernels/style_backward/rung_3_tensor_cores.cuh"
#include "kernels/style_backward/rung_4_wgmma.cuh"
#include "kernels/style_backward/style_backward.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr auto tensor_cores = Arithmetic::tensor_cores;

constexpr std::array ladder = {
    StyleBackwardRung::of<StyleBackwardNaive>(
        {.name = "rung_1_naive", .idea = "a thread for each value, sum and mask included"}),
    StyleBackwardRung::of<StyleBackwardRegisterTile>(
        {.name = "rung_2_register_tile",
         .idea = "64 multiply-adds for 16 shared values",
         .ships = true}),
    StyleBackwardRung::of<StyleBackwardTensorCores>({.name = "rung_3_tensor_cores",
                                                     .idea = "mma.sync, one pass over the maps",
                                                     .arithmetic = tensor_cores,
                                                     .least_sm = 80,
                                                     .persistent = true,
                                                     .ships = true}),
    StyleBackwardRung::of_16_bit<StyleBackwardWgmma>({.name = "rung_4_wgmma",
                                                      .idea = "rung 3 with TMA and wgmma",
                                                      .arithmetic = tensor_cores,
                                                      .least_sm = 90,
                                                      .sm_90a = true,
                                                      .persistent = true}),
};

}  // namespace

std::span<const StyleBackwardRung> style_backward_ladder() { return ladder; }

std::int64_t style_backward_workspace(const MapSize& size) {
  return largest_workspace(ladder, size);
}

template <class T>
void style_backward(T* grad, const T* features, const float* matrix, const MapSize& size,
                    const GradientEpilogue& epilogue, Arithmetic arithmetic, float* workspace,
                    Stream stream) {
  const StyleBackwardRung& rung =
      shipped_rung<T>(style_backward_ladder(), "style_backward", arithmetic, size);
  rung.launch.template get<T>()(grad, features, matrix, size, epilogue, workspace, stream);
}

template void style_backward(float*, const float*, const float*, const MapSize&,
                             const GradientEpilogue&, Arithmetic, float*, Stream);
template void style_backward(bfloat16*, const bfloat16*, const float*, const MapSize&,
                             const GradientEpilogue&, Arithmetic, float*, Stream);
template void style_backward(float16*, const float16*, const float*, const MapSize&,
                             const GradientEpilogue&, Arithmetic, float*, Stream);

}  // namespace impasto::kernels::IMPASTO_DEVICE
