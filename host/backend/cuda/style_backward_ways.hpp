// SPDX-License-Identifier: MIT
#pragma once

#include <cudnn_graph.h>
#include <functional>
#include <memory>
#include <vector>

#include "host/backend/cuda/product.hpp"
#include "host/backend/cuda/style_backward_problem.hpp"
#include "host/backend/device/libraries.hpp"
#include "host/backend/tuning/chooser.hpp"
#include "host/runtime/runtime.hpp"

namespace impasto::cuda {

class StyleBackwardGraph;
struct CudnnPlan;

/// What style_backward works on.
struct StyleTensors {
  Tensor grad;
  Tensor features;
  Tensor matrix;
  const OwnKernel* kernel = nullptr;
};

/// The libraries that are asked, by their handles; one that is null is not.
struct StyleLibraries {
  cublasLtHandle_t cublaslt = nullptr;
  cudnnHandle_t cudnn = nullptr;
};

/// Libraries' ways to do style_backward, all of them behind M rounded to the type of F: cuBLASLt's
/// product that adds to the gradient, and the mask after it; then, since these are compiled one by
/// one, cuDNN's product with sum and mask in it.
class StyleBackwardWays final : public Problem<StyleTensors> {
 public:
  /// `call` has the shapes and the kernel; the handles must outlive every way.
  StyleBackwardWays(Runtime& runtime, const StyleLibraries& libraries, Precision precision,
                    const GradientEpilogue& epilogue, const StyleTensors& call);
  ~StyleBackwardWays() override;

  [[nodiscard]] std::string describe() const override { return problem_.describe(); }
  [[nodiscard]] std::optional<Way<StyleTensors>> next() override;
  [[nodiscard]] std::optional<Way<StyleTensors>> make(const Recipe& recipe) override;
  [[nodiscard]] Stage set_up(std::int64_t workspace_bytes) override;

 private:
  /// What follows the rounding of M.
  using Multiply = std::function<void(const StyleTensors&, const void* rounded,
                                      kernels::cuda::ProductScalars* scalars, void* workspace)>;
  [[nodiscard]] Way<StyleTensors> after_rounding(Recipe recipe, std::int64_t workspace_bytes,
                                                 const Multiply& multiply) const;
  [[nodiscard]] Way<StyleTensors> by_cublaslt(const ProductAlgorithm& algorithm) const;
  [[nodiscard]] Way<StyleTensors> by_cudnn(const CudnnPlan& plan) const;
  void ask_cublaslt();
  void ask_cudnn();

  Runtime& runtime_;
  StyleLibraries libraries_;
  StyleBackwardProblem problem_;
  StyleTensors call_;
  std::shared_ptr<Product> product_;
  std::optional<std::vector<ProductAlgorithm>> proposed_;  ///< once cuBLASLt has been asked
  std::size_t next_algorithm_ = 0;
  bool asked_cudnn_ = false;
  std::unique_ptr<StyleBackwardGraph> graph_;  ///< null where cuDNN has no engine
  std::int64_t next_engine_ = 0;
};

}  // namespace impasto::cuda
