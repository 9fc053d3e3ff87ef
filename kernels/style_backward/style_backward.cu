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
std::int64_t style_backward_workspace(const MapSize& size, Arithmetic arithmetic, bool narrow) {
  // wgmma wants the columns in an order of its own, and whoever tries rungs tries all of them in one
  // workspace.
  const bool as_it_is =
      narrow && std::is_same_v<T, bfloat16> && ForcedRung::of("style_backward").empty() &&
      !shipped_rung<T>(style_backward_ladder(), "style_backward", arithmetic, size).sm_90a;
  return as_it_is ? 0 : style_backward_workspace(size);
}

template <class T>
void style_backward(T* grad, const T* features, const StyleMatrix& matrix, const MapSize& size,
                    const GradientEpilogue& epilogue, Arithmetic arithmetic, float* workspace,
                    Stream stream) {
  const StyleBackwardRung& rung =
      shipped_rung<T>(style_backward_ladder(), "style_backward", arithmetic, size);
  rung.launch.template get<T>()(grad, features, matrix, size, epilogue, workspace, stream);
}

#define IMPASTO_STYLE_BACKWARD(T)                                                    \
  template void style_backward(T*, const T*, const StyleMatrix&, const MapSize&,     \
                               const GradientEpilogue&, Arithmetic, float*, Stream); \
  template std::int64_t style_backward_workspace<T>(const MapSize&, Arithmetic, bool);
IMPASTO_STYLE_BACKWARD(float)
IMPASTO_STYLE_BACKWARD(bfloat16)
IMPASTO_STYLE_BACKWARD(float16)
#undef IMPASTO_STYLE_BACKWARD

}  // namespace impasto::kernels::IMPASTO_DEVICE
