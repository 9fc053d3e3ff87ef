// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include "kernels/common/device.hpp"
#include "kernels/common/size.hpp"
#include "kernels/style_loss/style_loss.hpp"

namespace impasto::kernels {

/// The beginning of a forward pass: first_conv_forward with its ReLU, then gram_loss of its map.
/// Math    y[n,h,w,k] = max(0, bias[k] + Σ_{r,s,c} weight[k,r,s,c]·(pixels[n,h+r−1,w+s−1,c]−mean[c]));
///         G = yᵀy;  D = gram_scale·G − target;  loss[n] = loss_scale · Σ_{i,j} D[n,i,j]²
///         M[n] = gradient_scale · D[n]
/// Shapes  y (N,H,W,C), pixels (N,H,W,3), weight (C,3,3,3), bias (C), mean (3), target (C,C), symmetric
///         and shared by the batch, matrix (N,C,C), loss (N)
/// Source  as of the two operations
/// Cost    54·C + 2·C² FLOP per pixel; 12 bytes and C values moved per pixel: y is not read again
namespace reference {
void first_conv_gram_loss(double* y, double* loss, double* matrix, const double* pixels,
                          const double* weight, const double* bias,
                          const std::array<double, 3>& mean, const double* target,
                          const MapSize& y_size, const StyleLossScale& scale);
}

namespace IMPASTO_DEVICE {
/// Whether there is a kernel for it: on GPUs from sm_80 on, for maps of 64 channels and 16 bits that
/// begin at a multiple of 4 bytes, as VGG's first.
template <class T>
bool first_conv_gram_loss_fits(const T* y, const MapSize& y_size);

/// Enqueues the operation. T: bfloat16 or float16. y has the bits of first_conv_forward; G is summed
/// over tiles of the picture, in an order that the size alone fixes. `workspace`, aligned to 16 bytes,
/// holds first_conv_gram_loss_workspace(y_size) floats. `blocks_done` is a number that is 0, and 0
/// again afterwards.
template <class T>
void first_conv_gram_loss(T* y, float* loss, const StyleMatrixOutput& matrix, const float* pixels,
                          const float* weight, const float* bias, const std::array<float, 3>& mean,
                          const float* target, const MapSize& y_size, const StyleLossScale& scale,
                          float* workspace, unsigned* blocks_done, Stream stream);
std::int64_t first_conv_gram_loss_workspace(const MapSize& y_size);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
