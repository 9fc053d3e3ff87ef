// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include "kernels/common/device.hpp"

namespace impasto::kernels {

/// A linear map of the three colours of every pixel: from decorrelated colours to red, green and blue,
/// and by the transpose the way of a gradient.
/// Math    y_p = M·x_p, or y_p + M·x_p to accumulate
/// Shapes  x, y (pixels,3), not the same array; M by rows
/// Source  Olah, Mordvintsev, Schubert 2017, "Feature Visualization", Preconditioning
/// Cost    1 value read, 1 written (1 more read to accumulate); 6 FLOP
struct ColourMatrix {
  std::array<float, 9> values;

  [[nodiscard]] constexpr ColourMatrix transposed() const {
    const auto& m = values;
    return {{m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]}};
  }
};

/// From colours that natural pictures have uncorrelated, the first of them brightness, to red, green
/// and blue; its largest column has the length 1 (Lucid, color_correlation_svd_sqrt).
inline constexpr ColourMatrix decorrelated_to_rgb{{0.5628F, 0.1948F, 0.0433F,  //
                                                   0.5845F, 0.0F, -0.1082F,    //
                                                   0.5845F, -0.1948F, 0.0649F}};

namespace reference {
void colour_map(double* y, const double* x, const ColourMatrix& matrix, bool accumulate,
                std::int64_t pixels);
}

namespace cpu {
void colour_map(float* y, const float* x, const ColourMatrix& matrix, bool accumulate,
                std::int64_t pixels);
}

namespace IMPASTO_DEVICE {
/// Enqueues it.
void colour_map(float* y, const float* x, const ColourMatrix& matrix, bool accumulate,
                std::int64_t pixels, Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
