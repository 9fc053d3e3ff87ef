// SPDX-License-Identifier: MIT
#include <array>

#include "kernels/common/tuning.hpp"
#include "kernels/gram_loss/ladder.hpp"
#include "kernels/gram_loss/rung_1_two_operations.cuh"
#include "kernels/gram_loss/rung_2_last_stage.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

template <class Idea>
constexpr GramLossRung rung(const Rung& about) {
  return {about, &Idea::workspace, launchers<Idea, GramLossLauncher>()};
}

constexpr auto on_tensor_cores = Arithmetic::tensor_cores;
using TwoOperations = GramLossTwoOperations<Arithmetic::fp32>;
using TwoOperationsOnTensorCores = GramLossTwoOperations<Arithmetic::tensor_cores>;

// clang-format off: a line for each rung
constexpr std::array ladder = {
    rung<TwoOperations>({"rung_1_two_operations", "gram, then style_loss"}),
    rung<TwoOperationsOnTensorCores>(
        {"rung_1_two_operations_on_tensor_cores", "the same", on_tensor_cores, 80}),
    rung<GramLossLastStage<GramSplitPixels>>({"rung_2_last_stage", "loss and M where G is summed"}),
    rung<GramLossLastStage<GramTensorCores>>(
        {"rung_2_last_stage_on_tensor_cores", "the same", on_tensor_cores, 80}),
};
// clang-format on

}  // namespace

std::span<const GramLossRung> gram_loss_ladder() { return ladder; }

std::int64_t gram_loss_workspace(const MapSize& size) { return largest_workspace(ladder, size); }

template <class T>
void gram_loss(float* loss, float* matrix, const T* features, const float* target,
               const MapSize& size, Arithmetic arithmetic, const StyleLossScale& scale,
               float* workspace, Stream stream) {
  const GramLossRung& rung = shipped_rung<T>(gram_loss_ladder(), "gram_loss", arithmetic, size);
  rung.launch.template get<T>()(loss, matrix, features, target, size, scale, workspace, stream);
}

#define IMPASTO_GRAM_LOSS(T)                                                                  \
  template void gram_loss(float*, float*, const T*, const float*, const MapSize&, Arithmetic, \
                          const StyleLossScale&, float*, Stream);
IMPASTO_GRAM_LOSS(float)
IMPASTO_GRAM_LOSS(bfloat16)
IMPASTO_GRAM_LOSS(float16)
#undef IMPASTO_GRAM_LOSS

}  // namespace impasto::kernels::IMPASTO_DEVICE
