// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "host/backend/cuda/cudnn.hpp"
#include "host/backend/device/problems.hpp"

namespace impasto::cuda {

/// The two ways in which cuDNN computes a data gradient.
enum class DataGradientAs : std::uint8_t {
  convolution,  ///< of rotated filters (docs/decisions/0002)
  /// The same with a bias of zeros. cuDNN brings no compiled engine for convolution + sum, but
  /// dozens for convolution + sum + bias.
  biased_convolution,
  own_operation,  ///< cuDNN's own data gradient, which a GPU may do faster
};

/// The uids of the tensors of a convolution's graph.
enum ConvTensor : std::int64_t { conv_x = 1, conv_weight, conv_bias, conv_sum, conv_mask, conv_y };

/// The graph of one convolution and its epilogue, NHWC. The problem is no first_forward: that is a
/// forward convolution of padded pixels to cuDNN. The bias has the type of the maps: with a bias in
/// float cuDNN has no compiled engine for 16 bits.
class ConvGraph : public CudnnGraph {
 public:
  explicit ConvGraph(const ConvProblem& problem,
                     DataGradientAs data_gradient = DataGradientAs::convolution);
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
