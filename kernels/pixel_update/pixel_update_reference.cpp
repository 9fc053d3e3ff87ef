// SPDX-License-Identifier: MIT
#include <algorithm>
#include <vector>

#include "kernels/pixel_update/pixel_update.hpp"

namespace impasto::kernels::reference {

void pixel_update(double* updated, double* m, double* v, std::int64_t* step, double* loss,
                  const double* pixels, const double* grad, const MapSize& size,
                  const VariationScale& variation, const AdamOptions& options) {
  std::vector<double> sum(grad, grad + size.count());
  total_variation(loss, sum.data(), pixels, size, variation);
  std::copy_n(pixels, size.count(), updated);
  adam(updated, m, v, step, sum.data(), size.count(), options);
}

}  // namespace impasto::kernels::reference
