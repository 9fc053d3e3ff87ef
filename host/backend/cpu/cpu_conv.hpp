// SPDX-License-Identifier: MIT
#pragma once

#include "host/backend/backend.hpp"

namespace impasto::cpu {

/// A convolution on the CPU, however it is computed. x is read for the mask only.
class CpuConv : public Conv {
 public:
  virtual void forward(const Tensor& y, const Tensor& x, bool relu) = 0;
  virtual void data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                             const GradientEpilogue& epilogue) = 0;
};

}  // namespace impasto::cpu
