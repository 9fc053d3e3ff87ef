// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "host/backend/backend.hpp"
#include "kernels/conv/conv.hpp"

namespace impasto::cuda {

/// One convolution as cuDNN is asked for it: a single graph with everything that comes after it.
struct ConvProblem {
  enum class Kind : std::uint8_t {
    /// y = act(conv(x, weight) + bias)
    forward,
    /// grad_x = mask ⊙ (sum + conv(grad_y, weight')), weight' rotated (docs/decisions/0002)
    data_gradient,
    /// The same through cuDNN's own data gradient, which a GPU may do faster.
    data_gradient_operation,
  };
  Kind kind = Kind::forward;
  Precision precision = Precision::bf16;
  /// Of the layer; a data gradient goes from out_channels to in_channels.
  kernels::ConvSize size;
  bool relu = false;          ///< forward
  GradientEpilogue epilogue;  ///< data gradients

  /// "bf16 data gradient 1×64×64, 512 to 256, add, mask"
  [[nodiscard]] std::string describe() const;
};

}  // namespace impasto::cuda
