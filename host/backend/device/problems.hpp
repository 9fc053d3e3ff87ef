// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "host/backend/ops.hpp"
#include "host/backend/tuning/plan_cache.hpp"
#include "kernels/conv/conv.hpp"

namespace impasto {

/// One convolution, as everything that the choice of its implementation depends on.
struct ConvProblem {
  enum class Kind : std::uint8_t {
    first_forward,  ///< y = act(conv(pixels − mean, weight) + bias)
    forward,        ///< y = act(conv(x, weight) + bias)
    data_gradient,  ///< grad_x = mask ⊙ (sum + the data gradient of grad_y)
  };
  Kind kind = Kind::forward;
  Precision precision = Precision::bf16;
  /// Of the layer; a data gradient goes from out_channels to in_channels.
  kernels::ConvSize size;
  bool relu = false;          ///< forward
  GradientEpilogue epilogue;  ///< data gradient

  /// "bf16 data gradient 1×64×64, 512 to 256, add, mask"
  [[nodiscard]] std::string describe() const;
  [[nodiscard]] ProblemName name() const;

  [[nodiscard]] auto key() const {
    return std::tuple(kind, precision, size.batch, size.height, size.width, size.in_channels,
                      size.out_channels, relu, epilogue.accumulate, epilogue.relu_mask);
  }
  friend bool operator<(const ConvProblem& a, const ConvProblem& b) { return a.key() < b.key(); }
};

/// The same for style_backward.
struct StyleBackwardProblem {
  Precision precision = Precision::bf16;
  kernels::MapSize size;
  GradientEpilogue epilogue;
  DataType matrix = DataType::f32;  ///< as M is stored

  /// "bf16 style backward 1×64×64×512 by bf16, add, mask"
  [[nodiscard]] std::string describe() const;
  [[nodiscard]] ProblemName name() const;

  [[nodiscard]] auto key() const {
    return std::tuple(precision, size.batch, size.height, size.width, size.channels,
                      epilogue.accumulate, epilogue.relu_mask, matrix);
  }
  friend bool operator<(const StyleBackwardProblem& a, const StyleBackwardProblem& b) {
    return a.key() < b.key();
  }
};

}  // namespace impasto
