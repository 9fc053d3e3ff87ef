// SPDX-License-Identifier: MIT
#include "host/backend/cuda/style_backward_ways.hpp"

#include <unordered_map>
#include <utility>

#include "host/backend/cuda/style_backward_graph.hpp"
#include "host/backend/cuda/trial_memory.hpp"
#include "host/backend/device/storage.hpp"
#include "host/core/error.hpp"
#include "kernels/style_backward/style_backward.hpp"

namespace impasto::cuda {
namespace {

namespace launch = kernels::cuda;
using kernels::cuda::ProductScalars;

constexpr auto cublaslt_product = "cuBLASLt";
constexpr auto cudnn_product = "cuDNN product";
constexpr std::int64_t most_workspace_bytes = std::int64_t{64} << 20U;

/// The scalars, the rounded matrices, the product's own workspace: each on a boundary of 256 bytes.
constexpr std::int64_t scalar_bytes = 256;
std::int64_t rounded_bytes(const Shape& map) {
  const std::int64_t bytes = launch::product_workspace(map) * std::int64_t{sizeof(float)};
  return (bytes + 255) / 256 * 256;
}

}  // namespace

StyleBackwardWays::StyleBackwardWays(Runtime& runtime, const StyleLibraries& libraries,
                                     Precision precision, const GradientEpilogue& epilogue,
                                     const StyleTensors& call)
    : runtime_(runtime),
      libraries_(libraries),
      problem_{precision, call.features.shape, epilogue},
      call_(call) {
  if (libraries.cublaslt == nullptr) return;
  product_ = std::make_shared<Product>(libraries.cublaslt, precision, Product::Kind::style_gradient,
                                       problem_.size);
}

StyleBackwardWays::~StyleBackwardWays() = default;

Way<StyleTensors> StyleBackwardWays::after_rounding(Recipe recipe, std::int64_t workspace_bytes,
                                                    const Multiply& multiply) const {
  const std::int64_t before_product = scalar_bytes + rounded_bytes(problem_.size);
  return {std::move(recipe), before_product + workspace_bytes,
          [=, problem = problem_, stream = runtime_.stream()](const StyleTensors& tensors,
                                                              void* workspace) {
            auto* bytes = static_cast<std::byte*>(workspace);
            auto* scalars = static_cast<ProductScalars*>(workspace);
            dispatch(tensors.features.type, [&]<class T>(T) {
              const T* rounded = launch::round_for_product<T>(
                  scalars, tensors.matrix.as<float>(), problem.size, problem.epilogue.accumulate,
                  reinterpret_cast<float*>(bytes + scalar_bytes), stream);
              multiply(tensors, rounded, scalars, bytes + before_product);
            });
          }};
}

Way<StyleTensors> StyleBackwardWays::by_cublaslt(const ProductAlgorithm& algorithm) const {
  return after_rounding({cublaslt_product, algorithm.parameters}, algorithm.workspace_bytes,
                        [=, product = product_, problem = problem_, stream = runtime_.stream()](
                            const StyleTensors& tensors, const void* rounded,
                            ProductScalars* scalars, void* workspace) {
                          product->run(algorithm, tensors.grad.data, tensors.features.data, rounded,
                                       scalars, workspace, stream);
                          if (!problem.epilogue.relu_mask) return;
                          dispatch(tensors.features.type, [&]<class T>(T) {
                            launch::relu_mask(tensors.grad.as<T>(), tensors.features.as<T>(),
                                              problem.size.count(), stream);
                          });
                        });
}

Way<StyleTensors> StyleBackwardWays::by_cudnn(const CudnnPlan& plan) const {
  return after_rounding({cudnn_product, plan.parameters}, plan.workspace_bytes,
                        [=, handle = libraries_.cudnn, epilogue = problem_.epilogue](
                            const StyleTensors& tensors, const void* rounded,
                            ProductScalars* scalars, void* workspace) {
                          std::unordered_map<std::int64_t, void*> bound = {
                              {style_features, tensors.features.data},
                              {style_matrix, const_cast<void*>(rounded)},
                              {style_alpha, &scalars->alpha},
                              {style_grad, tensors.grad.data}};
                          if (epilogue.accumulate) bound[style_sum] = tensors.grad.data;
                          if (epilogue.relu_mask) bound[style_mask] = tensors.features.data;
                          plan.run(handle, bound, workspace);
                        });
}

void StyleBackwardWays::ask_cublaslt() {
  proposed_.emplace();
  if (product_) proposed_ = product_->propose(most_workspace_bytes);
}

void StyleBackwardWays::ask_cudnn() {
  asked_cudnn_ = true;
  if (libraries_.cudnn == nullptr) return;
  auto graph = std::make_unique<StyleBackwardGraph>(problem_);
  try {
    graph->find_engines(libraries_.cudnn);
    graph_ = std::move(graph);
  } catch (const Error&) {
    // It has no engine for this, in fp32 on none of the GPUs that it was asked about.
  }
}

std::optional<Way<StyleTensors>> StyleBackwardWays::next() {
  if (!proposed_) ask_cublaslt();
  if (next_algorithm_ < proposed_->size()) return by_cublaslt((*proposed_)[next_algorithm_++]);
  if (!asked_cudnn_) ask_cudnn();
  while (graph_ && next_engine_ < graph_->engine_count()) {
    if (const auto plan = graph_->build(next_engine_++)) return by_cudnn(*plan);
  }
  return std::nullopt;
}

std::optional<Way<StyleTensors>> StyleBackwardWays::make(const Recipe& recipe) {
  if (recipe.implementation == cublaslt_product && product_) {
    if (const auto algorithm = product_->configure(recipe.parameters)) {
      return by_cublaslt(*algorithm);
    }
  }
  if (recipe.implementation == cudnn_product && libraries_.cudnn != nullptr) {
    try {
      const auto plan = StyleBackwardGraph(problem_).build(libraries_.cudnn, recipe.parameters);
      if (plan) return by_cudnn(*plan);
    } catch (const std::exception&) {
      // A recipe may come from anywhere: whatever cuDNN has against it, it is not one of ours.
    }
  }
  return std::nullopt;
}

StyleBackwardWays::Stage StyleBackwardWays::set_up(std::int64_t workspace_bytes) {
  TrialMemory memory(runtime_);
  Stage stage{call_, nullptr, nullptr};
  stage.tensors.grad.data = memory.get(call_.grad.bytes());
  stage.tensors.features.data = memory.get(call_.features.bytes());
  stage.tensors.matrix.data = memory.get(call_.matrix.bytes());
  stage.workspace = memory.get(static_cast<std::size_t>(workspace_bytes));
  stage.memory = memory.keep();
  return stage;
}

}  // namespace impasto::cuda
