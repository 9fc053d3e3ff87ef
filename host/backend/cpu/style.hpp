// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "host/backend/cpu/matmul.hpp"
#include "kernels/common/bfloat16.hpp"

namespace impasto::cpu {

/// kernels/gram/gram.hpp through products. The pixels are cut into chunks that depend on the size
/// alone; each chunk is one product of a batch, and their sums are added in order. That fixes the
/// order whatever the number of threads, and no float accumulator sees more than a chunk.
class Gram {
 public:
  explicit Gram(Matmul& matmul) : matmul_(matmul) {}

  void operator()(const Tensor& gram, const Tensor& features);

 private:
  Matmul& matmul_;
  std::vector<float> partial_;  ///< (chunks,C,C), grown when a larger map comes
};

/// kernels/style_backward/style_backward.hpp: a product, then the mask.
class StyleBackward {
 public:
  explicit StyleBackward(Matmul& matmul) : matmul_(matmul) {}

  void operator()(const Tensor& grad, const Tensor& features, const Tensor& matrix,
                  const GradientEpilogue& epilogue);

 private:
  Matmul& matmul_;
  std::vector<kernels::bfloat16> narrow_;  ///< M in the features' type, which oneDNN asks for
};

}  // namespace impasto::cpu
