// SPDX-License-Identifier: MIT
#pragma once

#include <cudnn.h>
#include <map>
#include <memory>
#include <string>

#include "host/backend/cuda/conv_graph.hpp"
#include "host/backend/device/convolutions.hpp"

namespace impasto::cuda {

/// Convolutions as cuDNN graphs: bias and ReLU fused into the way there; the way back a forward
/// convolution of rotated filters, with sum and mask fused. One plan per shape and epilogue, built
/// when it is first asked for.
class CudnnConvolutions final : public Convolutions {
 public:
  CudnnConvolutions(Runtime& runtime, Precision precision);
  ~CudnnConvolutions() override;

  std::string library() const override;
  std::unique_ptr<Conv> make(const ConvParameters& parameters) override;
  void forward(const Tensor& y, const Tensor& x, Conv& conv, bool relu, Scratch& scratch) override;
  void data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x, Conv& conv,
                     const GradientEpilogue& epilogue, Scratch& scratch) override;

 private:
  struct Plan {
    std::unique_ptr<ConvGraph> graph;
    std::int64_t workspace_bytes = 0;
  };

  Buffer upload(const std::vector<float>& values, DataType type);
  void run(const ConvProblem& problem, const std::unordered_map<std::int64_t, void*>& tensors,
           Scratch& scratch);

  Runtime& runtime_;
  Precision precision_;
  cudnnHandle_t handle_ = nullptr;
  std::map<std::string, Plan> plans_;  ///< by the problem's description
};

}  // namespace impasto::cuda
