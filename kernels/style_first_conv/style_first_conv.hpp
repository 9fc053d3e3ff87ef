// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "kernels/common/device.hpp"
#include "kernels/common/simd.hpp"
#include "kernels/common/size.hpp"
#include "kernels/style_loss/style_loss.hpp"

namespace impasto::kernels {

/// The end of a backward pass: style_backward at the first feature map, then first_conv_backward.
/// Math    g[n] = mask ⊙ (grad[n] + F[n]·M[n]), the sum and the mask as the epilogue says;
///         grad_pixels[n,h,w,c] = Σ_{r,s,k} weight[k,r,s,c] · g[n,h+1−r,w+1−s,k]
/// Shapes  grad, features (N,H,W,C), matrix (N,C,C) from style_loss, weight (C,3,3,3), grad_pixels
///         (N,H,W,3)
/// Source  as of the two operations
/// Cost    2·C² + 54·C FLOP per pixel; 1 to 2 values moved per value of F, and 12 bytes per pixel:
///         g is never written
namespace reference {
void style_first_conv_backward(double* grad_pixels, double* grad, const double* features,
                               const double* matrix, const double* weight, const MapSize& size,
                               const GradientEpilogue& epilogue);
}

namespace cpu {
/// Whether there is a version for maps of so many channels.
constexpr bool style_first_conv_fits(std::int64_t channels) { return channels % 64 == 0; }

/// In float; in bfloat16 oneDNN's product, then first_conv_backward, is faster.
void style_first_conv_backward(float* grad_pixels, const float* grad, const float* features,
                               const float* matrix, const float* weight, const MapSize& size,
                               const GradientEpilogue& epilogue, Simd simd);

/// g of some neighbouring pixels of one image.
struct StyleGradient {
  float* sum;             ///< g (pixels,C)
  const float* grad;      ///< (pixels,C)
  const float* features;  ///< (pixels,C)
  const float* matrix;    ///< (C,C)
  std::int64_t pixels;
  std::int64_t channels;
  GradientEpilogue epilogue;
};
// style_first_conv_simd.cpp, once for each set of instructions.
namespace avx2 {
void style_gradient(const StyleGradient& problem);
}
namespace avx512 {
void style_gradient(const StyleGradient& problem);
}
}  // namespace cpu

namespace IMPASTO_DEVICE {
/// Whether there is a kernel for it: on GPUs from sm_80 on, for maps of 64 channels and 16 bits that
/// begin at a multiple of 16 bytes, as VGG's first.
template <class T>
bool style_first_conv_fits(const T* grad, const T* features, const MapSize& size);

/// Enqueues the operation. T: bfloat16 or float16, to which M, g and the weights are rounded; M is
/// symmetric, and scaled as style_backward does.
template <class T>
void style_first_conv_backward(float* grad_pixels, const T* grad, const T* features,
                               const StyleMatrix& matrix, const float* weight, const MapSize& size,
                               const GradientEpilogue& epilogue, Stream stream);
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
