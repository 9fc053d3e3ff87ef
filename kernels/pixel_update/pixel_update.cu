// SPDX-License-Identifier: MIT
#include <array>

#include "kernels/common/tuning.hpp"
#include "kernels/pixel_update/ladder.hpp"
#include "kernels/pixel_update/rung_1_two_operations.cuh"
#include "kernels/pixel_update/rung_2_one_pass.cuh"
#include "kernels/pixel_update/rung_3_vectorised.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr std::array ladder = {
    PixelUpdateRung{{"rung_1_two_operations", "total_variation, then adam"},
                    &PixelUpdateTwoOperations::launch},
    PixelUpdateRung{{"rung_2_one_pass", "the gradient stays in registers"},
                    &PixelUpdateOnePass::launch},
    PixelUpdateRung{{"rung_3_vectorised", "16 bytes a load"}, &PixelUpdateVectorised::launch},
};

}  // namespace

std::span<const PixelUpdateRung> pixel_update_ladder() { return ladder; }

void pixel_update(float* updated, float* m, float* v, std::int64_t* step, float* loss,
                  const float* pixels, float* grad, const MapSize& size,
                  const VariationScale& variation, const AdamOptions& options, double* workspace,
                  Stream stream) {
  const PixelUpdateRung& rung =
      shipped_rung<float>(pixel_update_ladder(), "pixel_update", Arithmetic::fp32, size);
  rung.launch(updated, m, v, step, loss, pixels, grad, size, variation, options, workspace, stream);
}

}  // namespace impasto::kernels::IMPASTO_DEVICE
