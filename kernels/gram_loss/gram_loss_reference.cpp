// SPDX-License-Identifier: MIT
#include <vector>

#include "kernels/gram/gram.hpp"
#include "kernels/gram_loss/gram_loss.hpp"

namespace impasto::kernels::reference {

void gram_loss(double* loss, double* matrix, const double* features, const double* target,
               const MapSize& size, const StyleLossScale& scale) {
  std::vector<double> gram(static_cast<std::size_t>(size.batch * size.channels * size.channels));
  reference::gram(gram.data(), features, size);
  style_loss(loss, matrix, gram.data(), target, size.batch, size.channels, scale);
}

}  // namespace impasto::kernels::reference
