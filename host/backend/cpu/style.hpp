// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "host/backend/cpu/matmul.hpp"
#include "host/backend/ops.hpp"
#include "kernels/common/bfloat16.hpp"

namespace impasto::cpu {

/// kernels/gram/gram.hpp through products. The size alone decides how the pixels are cut into
/// chunks. Each chunk is one product of a batch, and the products are added in order. So the order
/// of a sum does not depend on the number of threads, and a float accumulates one chunk at most.
class Gram {
 public:
  explicit Gram(Matmul& matmul) : matmul_(matmul) {}

  void operator()(const Tensor& gram, const Tensor& features);

 private:
  Matmul& matmul_;
  std::vector<float> partial_;  ///< (chunks,C,C); grows for a larger map
};

/// kernels/gram_loss/gram_loss.hpp with M in bfloat16.
class NarrowGramLoss {
 public:
  explicit NarrowGramLoss(Gram& gram) : gram_(gram) {}

  void operator()(const Tensor& loss, const Tensor& matrix, const Tensor& features,
                  const Tensor& target, const StyleLossScale& scale);

 private:
  Gram& gram_;
  std::vector<float> wide_;  ///< G, then M
};

/// kernels/style_backward/style_backward.hpp: a product, then the mask.
class StyleBackward {
 public:
  explicit StyleBackward(Matmul& matmul) : matmul_(matmul) {}

  void operator()(const Tensor& grad, const Tensor& features, const Tensor& matrix,
                  const GradientEpilogue& epilogue);

 private:
  Matmul& matmul_;
  std::vector<kernels::bfloat16> narrow_;  ///< M in the features' type, as oneDNN requires it
};

}  // namespace impasto::cpu
