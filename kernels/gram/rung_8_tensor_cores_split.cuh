// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/gram/rung_7_tensor_cores.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// Rung 7's blocks over splits of the pixels, as in rung 6: what tensor cores finish sooner is
/// bound by memory, and ten blocks do not draw what a GPU can read. Two for each processor do.
struct GramTensorCoresSplit {
  static std::int64_t workspace(const MapSize& size) {
    return size.batch * GramPlan(size).partials;
  }

  template <class T>
  static void launch(float* gram, const T* features, const MapSize& size, float* workspace,
                     simt::StreamHandle stream) {
    const GramPlan plan(size);
    GramTensorCores::launch_partials(workspace, features, plan, size, stream);
    launch_gram_sum(gram, workspace, plan, size, stream);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
