// SPDX-License-Identifier: MIT
#pragma once

#include "host/backend/cuda/conv_problem.hpp"
#include "host/backend/cuda/cudnn_graph.hpp"

namespace impasto::cuda {

/// The tensors of a convolution's graph, in cuDNN's words their uids.
enum ConvTensor : std::int64_t { conv_x = 1, conv_weight, conv_bias, conv_sum, conv_mask, conv_y };

/// The graph of one convolution and what comes after it, NHWC.
class ConvGraph : public CudnnGraph {
 public:
  explicit ConvGraph(const ConvProblem& problem);
};

}  // namespace impasto::cuda
