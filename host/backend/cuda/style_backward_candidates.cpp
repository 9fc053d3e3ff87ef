// SPDX-License-Identifier: MIT
#include <functional>
#include <unordered_map>
#include <vector>

#include "host/backend/cuda/candidates.hpp"
#include "host/backend/cuda/graphs.hpp"
#include "host/backend/device/memory.hpp"
#include "host/core/error.hpp"
#include "kernels/style_backward/style_backward.hpp"

namespace impasto::cuda {
namespace {

namespace launch = kernels::cuda;
using launch::ProductScalars;

constexpr auto cublaslt_product = "cuBLASLt";
constexpr auto cudnn_product = "cuDNN product";
constexpr std::int64_t most_workspace_bytes = std::int64_t{64} << 20U;

/// The workspace holds the scalars, the rounded matrices and the product's own workspace, each on a
/// boundary of 256 bytes.
constexpr std::int64_t scalar_bytes = 256;
std::int64_t rounded_bytes(const Shape& map) {
  const std::int64_t bytes = launch::product_workspace(map) * std::int64_t{sizeof(float)};
  return (bytes + 255) / 256 * 256;
}

/// Whether M has the type of F already, so that nothing is left to round.
bool is_rounded(const StyleBackwardProblem& problem) {
  return problem.matrix == storage_of(problem.precision);
}

class StyleBackwardCandidates final : public Candidates<StyleBackwardCall> {
 public:
  StyleBackwardCandidates(Runtime& runtime, const StyleLibraries& libraries,
                          const StyleBackwardProblem& problem)
      : runtime_(runtime), libraries_(libraries), problem_(problem) {
    if (is_rounded(problem)) {
      plain_scalars_ =
          upload(runtime, {1.0F, problem.epilogue.accumulate ? 1.0F : 0.0F}, DataType::f32);
    }
    if (libraries.cublaslt == nullptr) return;
    matmul_ = std::make_shared<Matmul>(libraries.cublaslt, problem.precision,
                                       Matmul::Kind::style_gradient, problem.size);
  }

  /// cuDNN brings no compiled engine for the product with its scale.
  [[nodiscard]] bool next_is_compiled() override {
    if (!proposed_) ask_cublaslt();
    return next_algorithm_ == proposed_->size() && libraries_.cudnn != nullptr;
  }
  [[nodiscard]] std::optional<Candidate<StyleBackwardCall>> next() override {
    if (!proposed_) ask_cublaslt();
    if (next_algorithm_ < proposed_->size()) return by_cublaslt((*proposed_)[next_algorithm_++]);
    if (!asked_cudnn_) ask_cudnn();
    while (graph_ && next_engine_ < graph_->engines().size()) {
      if (const auto plan = graph_->build(graph_->engines()[next_engine_++])) {
        return by_cudnn(*plan);
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<Candidate<StyleBackwardCall>> find(const AlgoId& id) override {
    if (id.implementation == cublaslt_product && matmul_) {
      if (const auto algorithm = matmul_->configure(id.parameters)) return by_cublaslt(*algorithm);
    }
    std::optional<Candidate<StyleBackwardCall>> found;
    with_graph(id, [&](StyleBackwardGraph& graph) {
      if (const auto plan = graph.build(id.parameters)) found = by_cudnn(*plan);
    });
    return found;
  }
  [[nodiscard]] std::vector<Knob> knobs(const AlgoId& id) override {
    std::vector<Knob> found;
    with_graph(id, [&](StyleBackwardGraph& graph) { found = graph.knobs(id.parameters); });
    return found;
  }

 private:
  /// Multiplies by the rounded M.
  using Multiply = std::function<void(const StyleBackwardCall&, const void* rounded,
                                      ProductScalars* scalars, void* workspace)>;

  /// A product with M, which is rounded to the type of F first unless it is of that type.
  [[nodiscard]] Candidate<StyleBackwardCall> with_matrix(AlgoId id, std::int64_t workspace_bytes,
                                                         const Multiply& multiply) const {
    if (is_rounded(problem_)) {
      return {std::move(id), workspace_bytes,
              [multiply, scalars = plain_scalars_](const StyleBackwardCall& call, void* workspace) {
                multiply(call, call.matrix.data, static_cast<ProductScalars*>(scalars.get()),
                         workspace);
              }};
    }
    const std::int64_t before_product = scalar_bytes + rounded_bytes(problem_.size);
    return {std::move(id), before_product + workspace_bytes,
            [=, problem = problem_, stream = runtime_.stream()](const StyleBackwardCall& call,
                                                                void* workspace) {
              auto* bytes = static_cast<std::byte*>(workspace);
              auto* scalars = static_cast<ProductScalars*>(workspace);
              dispatch_storage(call.features.type, [&]<class T>(T) {
                const T* rounded = launch::round_for_product<T>(
                    scalars, style_matrix_of(call.matrix), problem.size,
                    problem.epilogue.accumulate, reinterpret_cast<float*>(bytes + scalar_bytes),
                    stream);
                multiply(call, rounded, scalars, bytes + before_product);
              });
            }};
  }

  [[nodiscard]] Candidate<StyleBackwardCall> by_cublaslt(const MatmulAlgorithm& algorithm) const {
    return with_matrix({cublaslt_product, algorithm.parameters}, algorithm.workspace_bytes,
                       [=, matmul = matmul_, problem = problem_, stream = runtime_.stream()](
                           const StyleBackwardCall& call, const void* rounded,
                           ProductScalars* scalars, void* workspace) {
                         matmul->run(algorithm, call.grad.data, call.features.data, rounded,
                                     scalars, workspace, stream);
                         if (!problem.epilogue.relu_mask) return;
                         dispatch_storage(call.features.type, [&]<class T>(T) {
                           launch::relu_mask(call.grad.as<T>(), call.features.as<T>(),
                                             problem.size.count(), stream);
                         });
                       });
  }

  [[nodiscard]] Candidate<StyleBackwardCall> by_cudnn(const CudnnPlan& plan) const {
    return with_matrix({cudnn_product, plan.parameters}, plan.workspace_bytes,
                       [=, handle = libraries_.cudnn, epilogue = problem_.epilogue](
                           const StyleBackwardCall& call, const void* rounded,
                           ProductScalars* scalars, void* workspace) {
                         std::unordered_map<std::int64_t, void*> bound = {
                             {style_features, call.features.data},
                             {style_matrix, const_cast<void*>(rounded)},
                             {style_alpha, &scalars->alpha},
                             {style_grad, call.grad.data}};
                         if (epilogue.accumulate) bound[style_sum] = call.grad.data;
                         if (epilogue.relu_mask) bound[style_mask] = call.features.data;
                         plan.run(handle, bound, workspace);
                       });
  }

  /// Calls use(graph) if the id is of cuDNN's. An id may come from anywhere: whatever cuDNN has
  /// against it, it is not one of ours.
  template <class Use>
  void with_graph(const AlgoId& id, Use use) const {
    if (id.implementation != cudnn_product || libraries_.cudnn == nullptr) return;
    try {
      StyleBackwardGraph graph(problem_);
      graph.prepare(libraries_.cudnn);
      use(graph);
    } catch (const std::exception&) {
      return;
    }
  }

  void ask_cublaslt() {
    proposed_.emplace();
    if (matmul_) proposed_ = matmul_->propose(most_workspace_bytes);
  }

  void ask_cudnn() {
    asked_cudnn_ = true;
    if (libraries_.cudnn == nullptr) return;
    auto graph = std::make_unique<StyleBackwardGraph>(problem_);
    try {
      graph->prepare(libraries_.cudnn);
      graph->find_engines();
      graph_ = std::move(graph);
    } catch (const Error&) {
      // It has no engine for this. In fp32 it has none on any GPU that it was asked about.
    }
  }

  Runtime& runtime_;
  StyleLibraries libraries_;
  StyleBackwardProblem problem_;
  Buffer plain_scalars_;  ///< α = 1 and β, for a matrix that needs no scale
  std::shared_ptr<Matmul> matmul_;
  std::optional<std::vector<MatmulAlgorithm>> proposed_;  ///< once cuBLASLt has been asked
  std::size_t next_algorithm_ = 0;
  bool asked_cudnn_ = false;
  std::unique_ptr<StyleBackwardGraph> graph_;  ///< null where cuDNN has no engine
  std::size_t next_engine_ = 0;
};

}  // namespace

std::unique_ptr<Candidates<StyleBackwardCall>> style_backward_candidates(
    Runtime& runtime, const StyleLibraries& libraries, const StyleBackwardCall& call) {
  return std::make_unique<StyleBackwardCandidates>(runtime, libraries, call.problem);
}

}  // namespace impasto::cuda
