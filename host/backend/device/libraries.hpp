// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <memory>
#include <string>

#include "host/backend/device/problems.hpp"
#include "host/backend/ops.hpp"
#include "host/backend/tuning/autotuner.hpp"

namespace impasto {

/// A convolution's parameters in device memory, as our own kernels take them. Libraries that need
/// more derive from it.
struct DeviceConv : Conv {
  Buffer weight;        ///< (Cout,3,3,Cin), as maps are stored
  Buffer rotated;       ///< (Cin,3,3,Cout), as maps are stored: what a data gradient convolves with
  Buffer bias;          ///< (Cout), float
  Buffer first_weight;  ///< (Cout,3,3,3), float; empty for other layers
};

/// A call of an operation that libraries have candidates for: its problem and what it works on. The
/// tensors may be without memory until the call is enqueued; to compare and time candidates, those
/// that tensors() returns are given memory of their own. The first of them is the output.
struct ConvCall {
  ConvProblem problem;
  Tensor to;    ///< y, or grad_x
  Tensor from;  ///< x, the pixels, or grad_y
  Tensor mask;  ///< x, for data gradients with a mask
  const DeviceConv* conv = nullptr;
  std::array<float, 3> mean{};  ///< first_forward

  [[nodiscard]] std::array<Tensor*, 3> tensors() { return {&to, &from, &mask}; }
};

/// M as a style loss has left it.
inline kernels::StyleMatrixOutput style_matrix_of(const Tensor& matrix) {
  return matrix.type == DataType::bf16 ? kernels::StyleMatrixOutput(matrix.as<kernels::bfloat16>())
                                       : kernels::StyleMatrixOutput(matrix.as<float>());
}

struct StyleBackwardCall {
  StyleBackwardProblem problem;
  Tensor grad;
  Tensor features;
  Tensor matrix;

  [[nodiscard]] std::array<Tensor*, 3> tensors() { return {&grad, &features, &matrix}; }
};

/// The libraries beside a device backend's own kernels: cuDNN and cuBLASLt on a GPU. They offer
/// candidates; the backend chooses. Candidates enqueue on the stream of the backend's runtime. An
/// object of this class itself stands for no libraries.
class Libraries {
 public:
  Libraries() = default;
  Libraries(const Libraries&) = delete;
  Libraries& operator=(const Libraries&) = delete;
  virtual ~Libraries() = default;

  /// For people: "CUDA 13.0, cuDNN 9.19.0, cuBLASLt 13.1.0".
  [[nodiscard]] virtual std::string names() const { return "no libraries"; }
  /// What candidates for a ConvCall take beside the parameters that the backend adds to it.
  [[nodiscard]] virtual std::unique_ptr<DeviceConv> make_conv(
      const ConvParameters& /*parameters*/) {
    return std::make_unique<DeviceConv>();
  }
  /// The candidates for a call; null where the libraries have none.
  [[nodiscard]] virtual std::unique_ptr<Candidates<ConvCall>> candidates(const ConvCall& /*call*/) {
    return nullptr;
  }
  [[nodiscard]] virtual std::unique_ptr<Candidates<StyleBackwardCall>> candidates(
      const StyleBackwardCall& /*call*/) {
    return nullptr;
  }
};

}  // namespace impasto
