// SPDX-License-Identifier: MIT
#pragma once

#include "host/backend/cpu/conv.hpp"
#include "kernels/conv/winograd.hpp"

namespace impasto::cpu {

/// A convolution of feature maps of type T by Winograd's F(4×4, 3×3) in float. Filters are stored as
/// T. The first gradient makes those of the data gradient.
template <class T>
class WinogradConv final : public CpuConv {
 public:
  /// `workspace` is shared by all convolutions of a backend.
  WinogradConv(kernels::cpu::Simd simd, Scratchpad& workspace, const ConvParameters& parameters);

  void forward(const Tensor& y, const Tensor& x, bool relu) override;
  void data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                     const GradientEpilogue& epilogue) override;

 private:
  void convolve(const Tensor& out, const Tensor& in, const T* filters,
                const kernels::cpu::WinogradEpilogue<T>& epilogue);

  kernels::cpu::Simd simd_;
  Scratchpad& workspace_;
  std::int64_t in_channels_;
  std::int64_t out_channels_;
  Scratchpad filter_memory_;
  Scratchpad rotated_memory_;
  T* filters_;
  T* rotated_ = nullptr;
  std::vector<float> bias_;
};

}  // namespace impasto::cpu
