// SPDX-License-Identifier: MIT
#include "host/backend/cuda/conv_ways.hpp"

#include <algorithm>

#include "host/backend/cuda/conv_graph.hpp"
#include "host/backend/cuda/trial_memory.hpp"
#include "host/backend/device/storage.hpp"
#include "host/core/error.hpp"

namespace impasto::cuda {
namespace {

std::string implementation(ConvProblem::Kind kind) {
  return kind == ConvProblem::Kind::data_gradient_operation ? "cuDNN data gradient"
                                                            : "cuDNN convolution";
}

std::unordered_map<std::int64_t, void*> bind(const ConvProblem& problem,
                                             const ConvTensors& tensors) {
  const CudnnConv& conv = *tensors.conv;
  const bool rotated = problem.kind == ConvProblem::Kind::data_gradient;
  std::unordered_map<std::int64_t, void*> bound = {
      {conv_x, tensors.from},
      {conv_weight, rotated ? conv.rotated.get() : conv.weight.get()},
      {conv_y, tensors.to}};
  if (problem.kind == ConvProblem::Kind::forward) bound[conv_bias] = conv.bias.get();
  if (problem.epilogue.accumulate) bound[conv_sum] = tensors.to;
  if (problem.epilogue.relu_mask) bound[conv_mask] = tensors.mask;
  return bound;
}

}  // namespace

ConvWays::ConvWays(Runtime& runtime, cudnnHandle_t handle, const ConvProblem& problem,
                   const CudnnConv& conv)
    : runtime_(runtime), handle_(handle), problem_(problem), conv_(conv) {}

ConvWays::~ConvWays() = default;

std::vector<ConvProblem> ConvWays::kinds() const {
  std::vector<ConvProblem> all = {problem_};
  if (problem_.kind == ConvProblem::Kind::data_gradient) {
    all.push_back(problem_);
    all.back().kind = ConvProblem::Kind::data_gradient_operation;
  }
  return all;
}

Way<ConvTensors> ConvWays::way(const ConvProblem& kind, const CudnnPlan& plan) const {
  return {{implementation(kind.kind), plan.parameters},
          plan.workspace_bytes,
          [kind, plan, handle = handle_](const ConvTensors& tensors, void* workspace) {
            plan.run(handle, bind(kind, tensors), workspace);
          }};
}

void ConvWays::open_branches() {
  std::string refusals;
  for (const ConvProblem& kind : kinds()) {
    auto graph = std::make_unique<ConvGraph>(kind);
    try {
      graph->find_engines(handle_);
    } catch (const Error& error) {
      refusals += (refusals.empty() ? "" : "; ") + std::string(error.what());
      graph.reset();
    }
    branches_.push_back({kind, std::move(graph)});
  }
  const bool none = std::none_of(branches_.begin(), branches_.end(),
                                 [](const Branch& branch) { return branch.graph != nullptr; });
  if (none) throw Error(ErrorKind::backend, refusals);
}

std::optional<Way<ConvTensors>> ConvWays::next() {
  if (branches_.empty()) open_branches();
  const auto left = [](const Branch& branch) {
    return branch.graph && branch.next < branch.graph->engine_count();
  };
  while (std::any_of(branches_.begin(), branches_.end(), left)) {
    Branch& branch = branches_[turn_++ % branches_.size()];
    while (left(branch)) {
      if (const auto plan = branch.graph->build(branch.next++)) return way(branch.problem, *plan);
    }
  }
  return std::nullopt;
}

std::optional<Way<ConvTensors>> ConvWays::make(const Recipe& recipe) {
  for (const ConvProblem& kind : kinds()) {
    if (recipe.implementation != implementation(kind.kind)) continue;
    try {
      if (const auto plan = ConvGraph(kind).build(handle_, recipe.parameters)) {
        return way(kind, *plan);
      }
    } catch (const std::exception&) {
      // A recipe may come from anywhere: whatever cuDNN has against it, it is not one of ours.
      return std::nullopt;
    }
  }
  return std::nullopt;
}

ConvWays::Stage ConvWays::set_up(std::int64_t workspace_bytes) {
  const kernels::ConvSize& size = problem_.size;
  const DataType type = storage_of(problem_.precision);
  const Tensor x{nullptr, {size.batch, size.height, size.width, size.in_channels}, type};
  const Tensor y{nullptr, {size.batch, size.height, size.width, size.out_channels}, type};
  const bool forward = problem_.kind == ConvProblem::Kind::forward;
  TrialMemory memory(runtime_);
  Stage stage;
  stage.tensors.to = memory.get(forward ? y.bytes() : x.bytes());
  stage.tensors.from = memory.get(forward ? x.bytes() : y.bytes());
  if (problem_.epilogue.relu_mask) stage.tensors.mask = memory.get(x.bytes());
  stage.tensors.conv = &conv_;
  stage.workspace = memory.get(static_cast<std::size_t>(workspace_bytes));
  stage.memory = memory.keep();
  return stage;
}

}  // namespace impasto::cuda
