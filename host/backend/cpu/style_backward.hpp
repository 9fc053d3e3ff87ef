// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "host/backend/cpu/product.hpp"
#include "kernels/common/bfloat16.hpp"

namespace impasto::cpu {

/// kernels/style_backward/style_backward.hpp: a product through oneDNN, then the mask.
class StyleBackward {
 public:
  explicit StyleBackward(Product& product) : product_(product) {}

  void operator()(const Tensor& grad, const Tensor& features, const Tensor& matrix,
                  const GradientEpilogue& epilogue);

 private:
  Product& product_;
  std::vector<kernels::bfloat16> narrow_;  ///< M in the features' type, which oneDNN asks for
};

}  // namespace impasto::cpu
