// SPDX-License-Identifier: MIT
#include <algorithm>

#include "kernels/upsample/upsample.hpp"

namespace impasto::kernels::reference {
namespace {

/// Calls visit(value of y, value of x, weight) for every entry of U that is not 0.
template <class Visit>
void for_each_entry(const MapSize& size, Visit visit) {
  const MapSize coarse = halved(size);
  for (std::int64_t n = 0; n < size.batch; ++n) {
    for (std::int64_t h = 0; h < size.height; ++h) {
      for (std::int64_t w = 0; w < size.width; ++w) {
        const Neighbours rows = coarse_neighbours(h, coarse.height);
        const Neighbours columns = coarse_neighbours(w, coarse.width);
        for (std::int64_t c = 0; c < size.channels; ++c) {
          const std::int64_t y = ((n * size.height + h) * size.width + w) * size.channels + c;
          const auto x = [&](std::int64_t i, std::int64_t j) {
            return ((n * coarse.height + i) * coarse.width + j) * size.channels + c;
          };
          visit(y, x(rows.near, columns.near), 0.75 * 0.75);
          visit(y, x(rows.near, columns.other), 0.75 * 0.25);
          visit(y, x(rows.other, columns.near), 0.25 * 0.75);
          visit(y, x(rows.other, columns.other), 0.25 * 0.25);
        }
      }
    }
  }
}

}  // namespace

void upsample_add(double* y, const double* x, const MapSize& size) {
  for_each_entry(
      size, [&](std::int64_t to, std::int64_t from, double weight) { y[to] += weight * x[from]; });
}

void upsample_transpose(double* x, const double* y, const MapSize& size) {
  std::fill_n(x, halved(size).count(), 0.0);
  for_each_entry(
      size, [&](std::int64_t from, std::int64_t to, double weight) { x[to] += weight * y[from]; });
}

}  // namespace impasto::kernels::reference
