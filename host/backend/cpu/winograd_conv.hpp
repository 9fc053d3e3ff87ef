// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "host/backend/cpu/conv.hpp"
#include "host/backend/cpu/matmul.hpp"
#include "kernels/common/bfloat16.hpp"
#include "kernels/conv/winograd.hpp"

namespace impasto::cpu {

/// Room for the transformed filters, tiles and products of one call; shared by all convolutions.
struct WinogradWorkspace {
  std::vector<float> filters;
  std::vector<float> input;
  std::vector<float> output;
};

/// A convolution of bfloat16 feature maps by Winograd's F(4×4, 3×3) in float. Filters are stored as
/// bfloat16. Every call transforms them again, one slice of output channels at a time, which stays
/// in the cache. Stored transformed filters would need 16 times the memory.
class WinogradConv final : public CpuConv {
 public:
  WinogradConv(Matmul& matmul, WinogradWorkspace& workspace, const ConvParameters& parameters);

  void forward(const Tensor& y, const Tensor& x, bool relu) override;
  void data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                     const GradientEpilogue& epilogue) override;

 private:
  void convolve(const Tensor& out, const Tensor& in, const std::vector<kernels::bfloat16>& filters,
                const kernels::cpu::WinogradEpilogue& epilogue);

  Matmul& matmul_;
  WinogradWorkspace& workspace_;
  std::vector<kernels::bfloat16> filters_;  ///< (Cin,9,Cout)
  std::vector<kernels::bfloat16> rotated_;  ///< (Cout,9,Cin), half a turn
  std::vector<float> bias_;
};

}  // namespace impasto::cpu
