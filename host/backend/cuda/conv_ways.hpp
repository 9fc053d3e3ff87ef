// SPDX-License-Identifier: MIT
#pragma once

#include <cudnn_graph.h>
#include <memory>
#include <string>
#include <vector>

#include "host/backend/cuda/conv_problem.hpp"
#include "host/backend/tuning/chooser.hpp"
#include "host/runtime/runtime.hpp"

namespace impasto::cuda {

class ConvGraph;
struct CudnnPlan;

/// A convolution's parameters in device memory, in the types that cuDNN takes. The first layer's
/// have kernels::cuda::padded_channels input channels and no `rotated`.
struct CudnnConv final : Conv {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  Buffer weight;   ///< (Cout,3,3,Cin)
  Buffer rotated;  ///< (Cin,3,3,Cout): what the data gradient convolves with
  Buffer bias;     ///< (Cout), float
};

/// What a convolution works on: x to y, or the gradient of y to that of x, which then is `to`.
struct ConvTensors {
  void* to = nullptr;
  void* from = nullptr;
  void* mask = nullptr;  ///< the feature map x, for data gradients
  const CudnnConv* conv = nullptr;
};

/// cuDNN's ways to do a convolution. Those of a data gradient are a forward convolution of rotated
/// filters and cuDNN's own operation, in turns.
class ConvWays final : public Problem<ConvTensors> {
 public:
  /// `problem.kind` is forward or data_gradient; `conv` has the parameters that trials use.
  ConvWays(Runtime& runtime, cudnnHandle_t handle, const ConvProblem& problem,
           const CudnnConv& conv);
  ~ConvWays() override;

  [[nodiscard]] std::string describe() const override { return problem_.describe(); }
  [[nodiscard]] std::optional<Way<ConvTensors>> next() override;
  [[nodiscard]] std::optional<Way<ConvTensors>> make(const Recipe& recipe) override;
  [[nodiscard]] Stage set_up(std::int64_t workspace_bytes) override;

 private:
  /// One kind of graph that solves the problem, and how far next() has come with it.
  struct Branch {
    ConvProblem problem;
    std::unique_ptr<ConvGraph> graph;  ///< null where cuDNN has no engine
    std::int64_t next = 0;
  };

  [[nodiscard]] std::vector<ConvProblem> kinds() const;
  [[nodiscard]] Way<ConvTensors> way(const ConvProblem& kind, const CudnnPlan& plan) const;
  void open_branches();

  Runtime& runtime_;
  cudnnHandle_t handle_;
  ConvProblem problem_;
  const CudnnConv& conv_;
  std::vector<Branch> branches_;
  std::size_t turn_ = 0;
};

}  // namespace impasto::cuda
