// SPDX-License-Identifier: MIT
#pragma once

#include <mutex>

#include "host/backend/cpu/conv.hpp"
#include "kernels/conv/winograd.hpp"

namespace impasto::cpu {

/// A convolution of feature maps of type T by Winograd's F(4×4, 3×3) in float. Filters are stored as
/// T. The first gradient makes those of the data gradient.
template <class T>
class WinogradConv final : public CpuConv {
 public:
  WinogradConv(kernels::cpu::Simd simd, const ConvParameters& parameters);

  void forward(OneDnn& onednn, const Tensor& y, const Tensor& x, bool relu) override;
  void data_gradient(OneDnn& onednn, const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                     const GradientEpilogue& epilogue) override;

 private:
  void convolve(Scratchpad& scratchpad, const Tensor& out, const Tensor& in, const T* filters,
                const kernels::cpu::WinogradEpilogue<T>& epilogue);

  kernels::cpu::Simd simd_;
  std::int64_t in_channels_;
  std::int64_t out_channels_;
  Scratchpad filter_memory_;
  Scratchpad rotated_memory_;
  T* filters_;
  T* rotated_ = nullptr;
  std::once_flag rotate_;
  std::vector<float> bias_;
};

}  // namespace impasto::cpu
