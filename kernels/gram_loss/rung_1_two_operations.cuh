// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/gram/gram.hpp"
#include "kernels/gram_loss/gram_loss.hpp"

namespace impasto::kernels::IMPASTO_DEVICE {

/// gram, then style_loss, each as it ships: four launches, and G is written and read in between.
/// Bound by the launches on small maps: at 512² a layer's Gram matrix takes as long as a few of
/// them.
template <Arithmetic arithmetic>
struct GramLossTwoOperations {
  /// G, then the workspace of either operation: they run one after the other.
  static std::int64_t gram_count(const MapSize& size) {
    return (size.batch * size.channels * size.channels + 1) / 2 * 2;
  }
  static std::int64_t workspace(const MapSize& size) {
    return gram_count(size) +
           std::max(gram_workspace(size), 2 * style_loss_workspace(size.batch, size.channels));
  }

  template <class T>
  static void launch(float* loss, const StyleMatrixOutput& matrix, const T* features,
                     const float* target, const MapSize& size, const StyleLossScale& scale,
                     float* workspace, unsigned* /*blocks_done*/, Stream stream) {
    float* rest = workspace + gram_count(size);
    gram(workspace, features, size, arithmetic, rest, stream);
    style_loss(loss, matrix, workspace, target, size.batch, size.channels, scale,
               reinterpret_cast<double*>(rest), stream);
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
