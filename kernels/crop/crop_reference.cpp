// SPDX-License-Identifier: MIT
#include "kernels/crop/crop.hpp"

namespace impasto::kernels::reference {
namespace {

/// Calls body(i, j) for each value i of y and the value j of x that it is.
template <class Body>
void for_each_pair(const MapSize& y, const MapSize& x, const Corner& corner, Body body) {
  std::int64_t i = 0;
  for (std::int64_t n = 0; n < y.batch; ++n) {
    for (std::int64_t h = 0; h < y.height; ++h) {
      for (std::int64_t w = 0; w < y.width; ++w) {
        for (std::int64_t c = 0; c < y.channels; ++c) {
          const std::int64_t row = n * x.height + corner.top + h;
          body(i++, (row * x.width + corner.left + w) * x.channels + c);
        }
      }
    }
  }
}

}  // namespace

void crop_forward(double* y, const double* x, const MapSize& y_size, const MapSize& x_size,
                  const Corner& corner) {
  for_each_pair(y_size, x_size, corner, [&](std::int64_t i, std::int64_t j) { y[i] = x[j]; });
}

void crop_backward(double* grad_x, const double* grad_y, const double* x, const MapSize& y_size,
                   const MapSize& x_size, const Corner& corner, const GradientEpilogue& epilogue) {
  for (std::int64_t j = 0; j < x_size.count() && !epilogue.accumulate; ++j) grad_x[j] = 0;
  for_each_pair(y_size, x_size, corner,
                [&](std::int64_t i, std::int64_t j) { grad_x[j] += grad_y[i]; });
  for (std::int64_t j = 0; j < x_size.count() && epilogue.relu_mask; ++j) {
    if (!(x[j] > 0)) grad_x[j] = 0;
  }
}

}  // namespace impasto::kernels::reference
