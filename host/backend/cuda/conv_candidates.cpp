// SPDX-License-Identifier: MIT
#include <array>
#include <unordered_map>
#include <vector>

#include "host/backend/cuda/candidates.hpp"
#include "host/backend/cuda/graphs.hpp"
#include "host/backend/device/memory.hpp"
#include "host/core/error.hpp"
#include "kernels/preprocess/preprocess.hpp"

namespace impasto::cuda {
namespace {

namespace launch = kernels::cuda;
using launch::padded_channels;
using Kind = ConvProblem::Kind;

/// Filters of three channels with zeros for the channels added.
std::vector<float> pad_channels(const std::vector<float>& weight) {
  constexpr auto padded = static_cast<std::size_t>(padded_channels);
  std::vector<float> wide(weight.size() / 3 * padded);
  for (std::size_t i = 0; i < weight.size(); ++i) wide[i / 3 * padded + i % 3] = weight[i];
  return wide;
}

/// The problem that cuDNN is asked for.
ConvProblem graph_problem(ConvProblem problem) {
  if (problem.kind == Kind::first_forward) {
    problem.kind = Kind::forward;
    problem.size.in_channels = padded_channels;
  }
  return problem;
}

/// What padded pixels take in the workspace.
std::size_t padded_bytes(const ConvCall& call) {
  if (call.problem.kind != Kind::first_forward) return 0;
  Tensor padded = call.to;
  padded.shape.channels = padded_channels;
  return aligned_bytes(padded);
}

/// Every way to ask for it.
std::vector<DataGradientAs> forms(const ConvProblem& problem) {
  if (problem.kind != Kind::data_gradient) return {DataGradientAs::convolution};
  return {DataGradientAs::convolution, DataGradientAs::own_operation};
}

std::string implementation(DataGradientAs form) {
  return form == DataGradientAs::own_operation ? "cuDNN data gradient" : "cuDNN convolution";
}

const CudnnConv& cudnn_conv(const ConvCall& call) {
  return static_cast<const CudnnConv&>(*call.conv);
}

void* filters(const ConvCall& call, DataGradientAs form) {
  const CudnnConv& conv = cudnn_conv(call);
  if (call.problem.kind == Kind::first_forward) return conv.padded.get();
  const bool rotated =
      call.problem.kind == Kind::data_gradient && form == DataGradientAs::convolution;
  return rotated ? conv.rotated.get() : conv.weight.get();
}

/// The graph's tensors; `x` is what it convolves.
std::unordered_map<std::int64_t, void*> bind(const ConvCall& call, DataGradientAs form, void* x) {
  std::unordered_map<std::int64_t, void*> bound = {
      {conv_x, x}, {conv_weight, filters(call, form)}, {conv_y, call.to.data}};
  if (call.problem.kind != Kind::data_gradient) bound[conv_bias] = cudnn_conv(call).bias.get();
  if (call.problem.epilogue.accumulate) bound[conv_sum] = call.to.data;
  if (call.problem.epilogue.relu_mask) bound[conv_mask] = call.mask.data;
  return bound;
}

class ConvCandidates final : public Candidates<ConvCall> {
 public:
  ConvCandidates(Runtime& runtime, cudnnHandle_t handle, const ConvCall& call)
      : runtime_(runtime),
        handle_(handle),
        problem_(graph_problem(call.problem)),
        padded_bytes_(padded_bytes(call)) {}

  [[nodiscard]] std::optional<Candidate<ConvCall>> next() override {
    if (branches_.empty()) open_branches();
    const auto left = [](const Branch& branch) {
      return branch.graph && branch.next < branch.graph->engine_count();
    };
    while (std::any_of(branches_.begin(), branches_.end(), left)) {
      Branch& branch = branches_[turn_++ % branches_.size()];
      while (left(branch)) {
        if (const auto plan = branch.graph->build(branch.next++)) {
          return candidate(branch.form, *plan);
        }
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<Candidate<ConvCall>> find(const AlgoId& id) override {
    for (const DataGradientAs form : forms(problem_)) {
      if (id.implementation != implementation(form)) continue;
      try {
        if (const auto plan = ConvGraph(problem_, form).build(handle_, id.parameters)) {
          return candidate(form, *plan);
        }
      } catch (const std::exception&) {
        // An id may come from anywhere: whatever cuDNN has against it, it is not one of ours.
        return std::nullopt;
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] std::string refusal() const override { return refusal_; }

 private:
  /// One form of the graph, and the next of its engines.
  struct Branch {
    DataGradientAs form;
    std::unique_ptr<ConvGraph> graph;  ///< null where cuDNN has no engine
    std::int64_t next = 0;
  };

  void open_branches() {
    for (const DataGradientAs form : forms(problem_)) {
      auto graph = std::make_unique<ConvGraph>(problem_, form);
      try {
        graph->find_engines(handle_);
      } catch (const Error& error) {
        refusal_ += (refusal_.empty() ? "" : "; ") + std::string(error.what());
        graph.reset();
      }
      branches_.push_back({form, std::move(graph)});
    }
  }

  [[nodiscard]] Candidate<ConvCall> candidate(DataGradientAs form, const CudnnPlan& plan) const {
    const AlgoId id{implementation(form), plan.parameters};
    if (padded_bytes_ == 0) {
      return {id, plan.workspace_bytes,
              [=, handle = handle_](const ConvCall& call, void* workspace) {
                plan.run(handle, bind(call, form, call.from.data), workspace);
              }};
    }
    return {id, plan.workspace_bytes + static_cast<std::int64_t>(padded_bytes_),
            [=, padded_bytes = padded_bytes_, handle = handle_, stream = runtime_.stream()](
                const ConvCall& call, void* workspace) {
              const Shape& pixels = call.from.shape;
              dispatch_storage(call.to.type, [&]<class T>(T) {
                launch::preprocess_padded(static_cast<T*>(workspace), call.from.as<float>(),
                                          call.mean, pixels.batch * pixels.pixels(), stream);
              });
              plan.run(handle, bind(call, form, workspace),
                       static_cast<std::byte*>(workspace) + padded_bytes);
            }};
  }

  Runtime& runtime_;
  cudnnHandle_t handle_;
  ConvProblem problem_;
  std::size_t padded_bytes_;  ///< of workspace before the engine's own
  std::vector<Branch> branches_;
  std::size_t turn_ = 0;
  std::string refusal_;
};

}  // namespace

std::unique_ptr<CudnnConv> make_cudnn_conv(Runtime& runtime, Precision precision,
                                           const ConvParameters& parameters) {
  const DataType storage = storage_of(precision);
  std::vector<float> rotated(parameters.weight.size());
  rotate_filters(rotated.data(), parameters.weight.data(), parameters.out_channels,
                 parameters.in_channels);
  auto conv = std::make_unique<CudnnConv>();
  conv->in_channels = parameters.in_channels;
  conv->out_channels = parameters.out_channels;
  conv->weight = upload(runtime, parameters.weight, storage);
  if (parameters.in_channels == 3) {
    conv->padded = upload(runtime, pad_channels(parameters.weight), storage);
  }
  conv->rotated = upload(runtime, rotated, storage);
  conv->bias = upload(runtime, parameters.bias, DataType::f32);
  return conv;
}

std::unique_ptr<Candidates<ConvCall>> conv_candidates(Runtime& runtime, cudnnHandle_t handle,
                                                      const ConvCall& call) {
  const CudnnConv& conv = cudnn_conv(call);
  const kernels::ConvSize& size = call.problem.size;
  require(size.in_channels == conv.in_channels && size.out_channels == conv.out_channels,
          "{}: the filters are for {} to {} channels", call.problem.describe(), conv.in_channels,
          conv.out_channels);
  return std::make_unique<ConvCandidates>(runtime, handle, call);
}

}  // namespace impasto::cuda
