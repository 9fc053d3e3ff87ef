// SPDX-License-Identifier: MIT
#include <array>

#include "kernels/common/tuning.hpp"
#include "kernels/gram/gram.hpp"
#include "kernels/gram/rung_1_naive.cuh"
#include "kernels/gram/rung_2_coalesced.cuh"
#include "kernels/gram/rung_3_shared_tile.cuh"
#include "kernels/gram/rung_4_register_tile.cuh"
#include "kernels/gram/rung_5_upper_triangle.cuh"
#include "kernels/gram/two_stage_rungs.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

template <class TwoStages>
using AsItIs = TwoStages;

constexpr std::array one_stage = {
    GramRung::of<GramNaive>({.name = "rung_1_naive", .idea = "a warp for each value"}),
    GramRung::of<GramCoalesced>(
        {.name = "rung_2_coalesced", .idea = "a warp reads neighbouring channels"}),
    GramRung::of<GramSharedTile>(
        {.name = "rung_3_shared_tile", .idea = "a value loaded once is used 32 times"}),
    GramRung::of<GramRegisterTile>(
        {.name = "rung_4_register_tile", .idea = "16 multiply-adds for 8 shared values"}),
    GramRung::of<GramUpperTriangle>(
        {.name = "rung_5_upper_triangle", .idea = "only the triangle; one slice on the diagonal"}),
};

constexpr std::array ladder = joined(one_stage, two_stage_rungs<GramRung, AsItIs>());

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
