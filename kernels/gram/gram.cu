// SPDX-License-Identifier: MIT
#include <array>

#include "kernels/common/tuning.hpp"
#include "kernels/gram/gram.hpp"
#include "kernels/gram/ladder.hpp"
#include "kernels/gram/rung_10_wgmma.cuh"
#include "kernels/gram/rung_1_naive.cuh"
#include "kernels/gram/rung_2_coalesced.cuh"
#include "kernels/gram/rung_3_shared_tile.cuh"
#include "kernels/gram/rung_4_register_tile.cuh"
#include "kernels/gram/rung_5_upper_triangle.cuh"
#include "kernels/gram/rung_6_split_pixels.cuh"
#include "kernels/gram/rung_7_tensor_cores.cuh"
#include "kernels/gram/rung_8_tensor_cores_split.cuh"
#include "kernels/gram/rung_9_persistent.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

template <class Idea>
constexpr GramRung rung(const Rung& about) {
  return {about, &Idea::workspace, launchers<Idea, GramLauncher>()};
}

/// tf32 has none.
template <class Idea>
constexpr GramRung rung_16_bit(const Rung& about) {
  return {about, &Idea::workspace, launchers_16_bit<Idea, GramLauncher>()};
}

constexpr auto on_tensor_cores = Arithmetic::tensor_cores;

// clang-format off: a line for each rung
constexpr std::array ladder = {
    rung<GramNaive>({"rung_1_naive", "a warp for each value"}),
    rung<GramCoalesced>({"rung_2_coalesced", "a warp reads neighbouring channels"}),
    rung<GramSharedTile>({"rung_3_shared_tile", "a value loaded once is used 32 times"}),
    rung<GramRegisterTile>({"rung_4_register_tile", "16 multiply-adds for 8 shared values"}),
    rung<GramUpperTriangle>({"rung_5_upper_triangle", "only the tiles of the triangle"}),
    rung<GramSplitPixels>({"rung_6_split_pixels", "blocks enough: the sum in splits, two stages"}),
    rung<GramTensorCores>(
        {"rung_7_tensor_cores", "mma.sync, copies under way", on_tensor_cores, 80}),
    rung<GramTensorCoresSplit>(
        {"rung_8_tensor_cores_split", "rung 7 in splits", on_tensor_cores, 80}),
    rung<GramPersistent>(
        {"rung_9_persistent", "rung 8's blocks stay for the next piece", on_tensor_cores, 80}),
    rung_16_bit<GramWgmma>(
        {"rung_10_wgmma", "rung 9 with TMA and wgmma", on_tensor_cores, 90, true}),
};
// clang-format on

}  // namespace

std::span<const GramRung> gram_ladder() { return ladder; }

std::int64_t gram_workspace(const MapSize& size) { return largest_workspace(ladder, size); }

template <class T>
void gram(float* gram, const T* features, const MapSize& size, Arithmetic arithmetic,
          float* workspace, Stream stream) {
  const GramRung& rung = shipped_rung<T>(gram_ladder(), "gram", arithmetic, size);
  rung.launch.template get<T>()(gram, features, size, workspace, stream);
}

template void gram(float*, const float*, const MapSize&, Arithmetic, float*, Stream);
template void gram(float*, const bfloat16*, const MapSize&, Arithmetic, float*, Stream);
template void gram(float*, const float16*, const MapSize&, Arithmetic, float*, Stream);

}  // namespace impasto::kernels::IMPASTO_DEVICE
