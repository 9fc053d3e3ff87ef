// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "host/backend/cuda/cudnn.hpp"
#include "host/backend/device/problems.hpp"

namespace impasto::cuda {

/// What cuDNN is asked for. A data gradient is a convolution of rotated filters (docs/decisions/0002)
/// unless it is cuDNN's own operation.
enum class ConvAs : std::uint8_t {
  convolution,         ///< without a bias, whatever the problem
  biased_convolution,  ///< with the layer's bias, or a data gradient's bias of zeros: see below
  own_operation,       ///< cuDNN's own data gradient, which a GPU may do faster
};

/// The uids of the tensors of a convolution's graph.
enum ConvTensor : std::int64_t { conv_x = 1, conv_weight, conv_bias, conv_sum, conv_mask, conv_y };

/// The graph of one convolution and its epilogue, NHWC. The problem is no first_forward: that is a
/// forward convolution of padded pixels to cuDNN. The bias has the type of the maps: with a bias in
/// float cuDNN has no compiled engine for 16 bits. Nor has it one for convolution + sum, but dozens
/// for convolution + sum + bias.
class ConvGraph : public CudnnGraph {
 public:
  ConvGraph(const ConvProblem& problem, ConvAs how);
};

/// The uids of the tensors of style_backward's graph.
enum StyleBackwardTensor : std::int64_t {
  style_features = 1,
  style_matrix,  ///< M', as kernels::cuda::round_for_product leaves it
  style_alpha,   ///< a float in device memory
  style_sum,     ///< the gradient that is there
  style_mask,    ///< the features once more
  style_grad
};

/// style_backward after M is rounded, as one graph: grad = mask ⊙ (α·F·M' + sum). The product is
/// the first operand of each operation on it, as cuDNN's fused engines demand.
class StyleBackwardGraph : public CudnnGraph {
 public:
  explicit StyleBackwardGraph(const StyleBackwardProblem& problem);
};

}  // namespace impasto::cuda
