// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include "host/backend/cuda/conv_ways.hpp"
#include "host/backend/device/libraries.hpp"

namespace impasto::cuda {

/// What the first convolution works on; the kernel is our own of this very layer.
struct FirstConvTensors {
  Tensor y;
  Tensor pixels;
  std::array<float, 3> mean{};
  const CudnnConv* conv = nullptr;
  const OwnKernel* kernel = nullptr;
};

/// cuDNN's ways to do the first convolution: pixels minus mean in eight channels, five of them
/// zero, then a convolution like any other.
class FirstConvWays final : public Problem<FirstConvTensors> {
 public:
  /// `call` has the shapes, and what trials use besides pixels and feature map.
  FirstConvWays(Runtime& runtime, cudnnHandle_t handle, Precision precision, bool relu,
                const FirstConvTensors& call);

  [[nodiscard]] std::string describe() const override;
  [[nodiscard]] std::optional<Way<FirstConvTensors>> next() override;
  [[nodiscard]] std::optional<Way<FirstConvTensors>> make(const Recipe& recipe) override;
  [[nodiscard]] Stage set_up(std::int64_t workspace_bytes) override;

 private:
  [[nodiscard]] Way<FirstConvTensors> around(const Way<ConvTensors>& convolution) const;

  Runtime& runtime_;
  ConvProblem problem_;
  FirstConvTensors call_;
  ConvWays padded_;
};

}  // namespace impasto::cuda
