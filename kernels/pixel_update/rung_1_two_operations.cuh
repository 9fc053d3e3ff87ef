// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/adam/rung_2_vectorised.cuh"
#include "kernels/pixel_update/pixel_update.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// total_variation as it ships, then adam's vectorised rung, which here writes to another array.
/// Four launches; the gradient is read, written and read again between them. Bound by memory: 40
/// bytes moved per value.
struct PixelUpdateTwoOperations {
  static void launch(float* updated, float* m, float* v, std::int64_t* step, float* loss,
                     const float* pixels, float* grad, const MapSize& size,
                     const VariationScale& variation, const AdamOptions& options, double* workspace,
                     simt::StreamHandle stream) {
    total_variation(loss, grad, pixels, size, variation, workspace, stream);
    auto* rate_and_v_scale = reinterpret_cast<float*>(workspace + total_variation_workspace(size));
    AdamVectorised::launch(updated, m, v, step, pixels, grad, size.count(), options,
                           rate_and_v_scale, stream);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
