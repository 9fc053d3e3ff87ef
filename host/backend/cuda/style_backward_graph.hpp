// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "host/backend/cuda/cudnn_graph.hpp"
#include "host/backend/cuda/style_backward_problem.hpp"

namespace impasto::cuda {

/// The tensors of style_backward's graph, in cuDNN's words their uids.
enum StyleBackwardTensor : std::int64_t {
  style_features = 1,
  style_matrix,  ///< M', as kernels::cuda::round_for_product leaves it
  style_alpha,   ///< a float in device memory
  style_sum,     ///< the gradient that is there
  style_mask,    ///< the features once more
  style_grad
};

/// All of it but M's rounding as one graph: grad = mask ⊙ (α·F·M' + sum). The product comes first
/// in each operation on it, as cuDNN's fused engines demand.
class StyleBackwardGraph : public CudnnGraph {
 public:
  explicit StyleBackwardGraph(const StyleBackwardProblem& problem);
};

}  // namespace impasto::cuda
