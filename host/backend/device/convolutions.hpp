// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "host/backend/backend.hpp"
#include "host/backend/device/scratch.hpp"

namespace impasto::IMPASTO_DEVICE {

/// The convolutions of a device backend but the first, which a library does: cuDNN on a GPU.
/// Everything is enqueued on the runtime's stream. While `scratch` is measuring, an operation asks
/// it for workspace, makes its plan and does nothing else.
class Convolutions {
 public:
  Convolutions() = default;
  Convolutions(const Convolutions&) = delete;
  Convolutions& operator=(const Convolutions&) = delete;
  virtual ~Convolutions() = default;

  /// What does it, for people.
  [[nodiscard]] virtual std::string library() const = 0;
  [[nodiscard]] virtual std::unique_ptr<Conv> make(const ConvParameters& parameters) = 0;
  virtual void forward(const Tensor& y, const Tensor& x, Conv& conv, bool relu,
                       Scratch& scratch) = 0;
  virtual void data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                             Conv& conv, const GradientEpilogue& epilogue, Scratch& scratch) = 0;
};

}  // namespace impasto::IMPASTO_DEVICE
