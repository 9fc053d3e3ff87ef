// SPDX-License-Identifier: MIT
#include <array>

#include "kernels/common/tuning.hpp"
#include "kernels/style_backward/ladder.hpp"
#include "kernels/style_backward/rung_1_naive.cuh"
#include "kernels/style_backward/rung_2_register_tile.cuh"
#include "kernels/style_backward/rung_3_tensor_cores.cuh"
#include "kernels/style_backward/rung_4_wgmma.cuh"
#include "kernels/style_backward/style_backward.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

template <class Idea>
constexpr StyleBackwardRung rung(const Rung& about) {
  return {about, &Idea::workspace, launchers<Idea, StyleBackwardLauncher>()};
}

/// tf32 has none.
template <class Idea>
constexpr StyleBackwardRung rung_16_bit(const Rung& about) {
  return {about, &Idea::workspace, launchers_16_bit<Idea, StyleBackwardLauncher>()};
}

constexpr auto on_tensor_cores = Arithmetic::tensor_cores;

// clang-format off: a line for each rung
constexpr std::array ladder = {
    rung<StyleBackwardNaive>({"rung_1_naive", "a thread for each value, sum and mask included"}),
    rung<StyleBackwardRegisterTile>(
        {"rung_2_register_tile", "64 multiply-adds for 16 shared values"}),
    rung<StyleBackwardTensorCores>(
        {"rung_3_tensor_cores", "mma.sync, one pass over the maps", on_tensor_cores, 80}),
    rung_16_bit<StyleBackwardWgmma>(
        {"rung_4_wgmma", "rung 3 with TMA and wgmma", on_tensor_cores, 90, true}),
};
// clang-format on

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
