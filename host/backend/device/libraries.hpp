// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "host/backend/backend.hpp"
#include "host/backend/device/scratch.hpp"

namespace impasto::IMPASTO_DEVICE {

/// An operation of ours whose tensors are still to be given: enqueues its kernel.
struct OwnKernel {
  std::int64_t workspace_bytes = 0;
  /// Output first, as Backend has them.
  std::function<void(std::span<const Tensor> tensors, void* workspace)> enqueue;
};

/// What libraries do for a device backend: cuDNN and cuBLASLt on a GPU. Everything is enqueued on
/// the runtime's stream. While `scratch` is measuring, an operation asks it for workspace, makes
/// its plan and does nothing else.
class Libraries {
 public:
  Libraries() = default;
  Libraries(const Libraries&) = delete;
  Libraries& operator=(const Libraries&) = delete;
  virtual ~Libraries() = default;

  /// For people: "CUDA 13.0, cuDNN 9.19.0, cuBLASLt 13.1.0".
  [[nodiscard]] virtual std::string names() const = 0;
  [[nodiscard]] virtual std::unique_ptr<Conv> make_conv(const ConvParameters& parameters) = 0;
  virtual void conv_forward(const Tensor& y, const Tensor& x, Conv& conv, bool relu,
                            Scratch& scratch) = 0;
  virtual void conv_data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                                  Conv& conv, const GradientEpilogue& epilogue,
                                  Scratch& scratch) = 0;

  /// These can also be done by a kernel of ours, which is taken where a library has nothing better.
  virtual void first_conv_forward(const Tensor& y, const Tensor& pixels, Conv& /*conv*/,
                                  const std::array<float, 3>& /*mean*/, bool /*relu*/,
                                  const OwnKernel& kernel, Scratch& scratch) {
    run(kernel, std::array{y, pixels}, scratch);
  }
  virtual void style_backward(const Tensor& grad, const Tensor& features, const Tensor& matrix,
                              const GradientEpilogue& /*epilogue*/, const OwnKernel& kernel,
                              Scratch& scratch) {
    run(kernel, std::array{grad, features, matrix}, scratch);
  }

 private:
  static void run(const OwnKernel& kernel, std::span<const Tensor> tensors, Scratch& scratch) {
    void* workspace = scratch.get<unsigned char>(kernel.workspace_bytes);
    if (!scratch.measuring()) kernel.enqueue(tensors, workspace);
  }
};

}  // namespace impasto::IMPASTO_DEVICE
