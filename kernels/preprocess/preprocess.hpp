// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include "kernels/common/device.hpp"

namespace impasto::kernels {

/// Pixels to network input: subtract the network's mean pixel.
/// Math    y[i,c] = x[i,c] − mean[c];  the gradient is the identity
/// Shapes  pixels, y: (N·H·W, 3), red, green, blue in [0,255];  mean: (3)
/// Source  Simonyan & Zisserman 2015, §2.1
/// Cost    4 bytes read and sizeof(T) written per value, 1 FLOP

namespace reference {
void preprocess(double* y, const double* pixels, const std::array<double, 3>& mean,
                std::int64_t pixel_count);
}

namespace cpu {
/// T: float or bfloat16.
template <class T>
void preprocess(T* y, const float* pixels, const std::array<float, 3>& mean,
                std::int64_t pixel_count);
}  // namespace cpu

namespace IMPASTO_DEVICE {
/// For a library's convolution, which takes whole vectors of channels: y is (N·H·W,
/// padded_channels), and every channel after the third is zero. Our own first convolution subtracts
/// the mean itself.
inline constexpr int padded_channels = 8;
/// Enqueues the operation. T: float, bfloat16 or float16.
template <class T>
void preprocess_padded(T* y, const float* pixels, const std::array<float, 3>& mean,
                       std::int64_t pixel_count, Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
