// SPDX-License-Identifier: MIT
#include <array>

#include "kernels/common/tuning.hpp"
#include "kernels/gram/two_stage_rungs.cuh"
#include "kernels/gram_loss/gram_loss.hpp"
#include "kernels/gram_loss/last_stage.cuh"
#include "kernels/gram_loss/rung_14_one_launch.cuh"
#include "kernels/gram_loss/rung_1_two_operations.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr auto tensor_cores = Arithmetic::tensor_cores;

constexpr std::array two_operations = {
    GramLossRung::of<GramLossTwoOperations<Arithmetic::fp32>>(
        {.name = "rung_1_two_operations", .idea = "gram, then style_loss"}),
    GramLossRung::of<GramLossTwoOperations<tensor_cores>>(
        {.name = "rung_1_two_operations_on_tensor_cores",
         .idea = "the same",
         .arithmetic = tensor_cores,
         .least_sm = 80}),
};

/// From rung 6 on these are the rungs of the Gram matrix that have two stages, under their names
/// there: the same first stage, and the loss in the second.
constexpr std::array one_launch = {
    GramLossRung::of<GramLossOneLaunch>({.name = "rung_14_one_launch",
                                         .idea = "the blocks wait for each other",
                                         .arithmetic = tensor_cores,
                                         .least_sm = 80,
                                         .persistent = true,
                                         .ships = true}),
};

constexpr std::array ladder =
    joined(joined(two_operations, two_stage_rungs<GramLossRung, GramLossLastStage>()), one_launch);

}  // namespace

std::span<const GramLossRung> gram_loss_ladder() { return ladder; }

std::int64_t gram_loss_workspace(const MapSize& size) { return largest_workspace(ladder, size); }

template <class T>
void gram_loss(float* loss, const StyleMatrixOutput& matrix, const T* features, const float* target,
               const MapSize& size, Arithmetic arithmetic, const StyleLossScale& scale,
               float* workspace, unsigned* blocks_done, Stream stream) {
  const GramLossRung& rung = shipped_rung<T>(gram_loss_ladder(), "gram_loss", arithmetic, size);
  rung.launch.template get<T>()(loss, matrix, features, target, size, scale, workspace, blocks_done,
                                stream);
}

#define IMPASTO_GRAM_LOSS(T)                                                                    \
  template void gram_loss(float*, const StyleMatrixOutput&, const T*, const float*,             \
                          const MapSize&, Arithmetic, const StyleLossScale&, float*, unsigned*, \
                          Stream);
IMPASTO_GRAM_LOSS(float)
IMPASTO_GRAM_LOSS(bfloat16)
IMPASTO_GRAM_LOSS(float16)
#undef IMPASTO_GRAM_LOSS

}  // namespace impasto::kernels::IMPASTO_DEVICE
