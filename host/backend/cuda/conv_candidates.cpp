// SPDX-License-Identifier: MIT
#include <algorithm>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

#include "host/backend/cuda/candidates.hpp"
#include "host/backend/cuda/graphs.hpp"
#include "host/backend/device/memory.hpp"
#include "host/core/error.hpp"
#include "kernels/conv/conv.hpp"
#include "kernels/preprocess/preprocess.hpp"
#include "kernels/style_backward/style_backward.hpp"

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

/// What padded pixels take in the workspace.
std::size_t padded_bytes(const ConvCall& call) {
  if (call.problem.kind != Kind::first_forward) return 0;
  Tensor padded = call.to;
  padded.shape.channels = padded_channels;
  return aligned_bytes(padded);
}

/// A way to compute a convolution.
struct Form {
  ConvAs graph;
  bool rest_after = false;  ///< a kernel of ours adds bias and ReLU, or a data gradient's mask
};

std::vector<Form> forms(const ConvProblem& problem) {
  if (problem.kind != Kind::data_gradient) {
    return {{ConvAs::biased_convolution}, {ConvAs::convolution, true}};
  }
  const auto [accumulate, masked] = problem.epilogue;
  std::vector<Form> all = {{ConvAs::convolution}, {ConvAs::own_operation}};
  const auto precompiled = accumulate ? ConvAs::biased_convolution : ConvAs::convolution;
  if (masked || accumulate) all.push_back({precompiled, masked});
  if (masked && !accumulate) all.push_back({ConvAs::own_operation, true});
  return all;
}

/// The problem that a form leaves to cuDNN.
ConvProblem graph_problem(ConvProblem problem, const Form& form) {
  if (form.rest_after) {
    problem.relu = false;
    problem.epilogue.relu_mask = false;
  }
  if (problem.kind == Kind::first_forward) {
    problem.kind = Kind::forward;
    problem.size.in_channels = padded_channels;
  }
  return problem;
}

std::string implementation(const ConvProblem& problem, const Form& form) {
  std::string name;
  switch (form.graph) {
    case ConvAs::convolution: name = "cuDNN convolution"; break;
    case ConvAs::biased_convolution: name = "cuDNN biased convolution"; break;
    case ConvAs::own_operation: name = "cuDNN data gradient"; break;
  }
  if (!form.rest_after) return name;
  return name + (problem.kind == Kind::data_gradient ? ", then mask" : ", then bias");
}

const CudnnConv& cudnn_conv(const ConvCall& call) {
  return static_cast<const CudnnConv&>(*call.conv);
}

void* filters(const ConvCall& call, const Form& form) {
  const CudnnConv& conv = cudnn_conv(call);
  if (call.problem.kind == Kind::first_forward) return conv.padded.get();
  const bool rotated =
      call.problem.kind == Kind::data_gradient && form.graph != ConvAs::own_operation;
  return rotated ? conv.rotated.get() : conv.weight.get();
}

/// The graph's tensors; `x` is what it convolves.
std::unordered_map<std::int64_t, void*> bind(const ConvCall& call, const Form& form, void* x) {
  const CudnnConv& conv = cudnn_conv(call);
  std::unordered_map<std::int64_t, void*> bound = {
      {conv_x, x}, {conv_weight, filters(call, form)}, {conv_y, call.to.data}};
  if (form.graph == ConvAs::biased_convolution) {
    const bool zeros = call.problem.kind == Kind::data_gradient;
    bound[conv_bias] = zeros ? conv.no_bias.get() : conv.stored_bias.get();
  }
  if (call.problem.epilogue.accumulate) bound[conv_sum] = call.to.data;
  if (call.problem.epilogue.relu_mask && !form.rest_after) bound[conv_mask] = call.mask.data;
  return bound;
}

/// Enqueues what a form leaves to a kernel of ours.
void finish(const ConvCall& call, const Form& form, launch::Stream stream) {
  if (!form.rest_after) return;
  dispatch_storage(call.to.type, [&]<class T>(T) {
    T* to = call.to.as<T>();
    if (call.problem.kind == Kind::data_gradient) {
      launch::relu_mask(to, call.mask.as<T>(), call.to.shape.count(), stream);
    } else {
      launch::bias_relu(to, static_cast<const float*>(call.conv->bias.get()), call.to.shape,
                        call.problem.relu, stream);
    }
  });
}

class ConvCandidates final : public Candidates<ConvCall> {
 public:
  ConvCandidates(Runtime& runtime, cudnnHandle_t handle, const ConvCall& call)
      : runtime_(runtime),
        handle_(handle),
        problem_(call.problem),
        padded_bytes_(padded_bytes(call)) {}

  [[nodiscard]] bool next_is_compiled() override {
    if (!std::exchange(asked_, true)) ask();
    return !engines_.empty() && !engines_.front().precompiled;
  }
  [[nodiscard]] std::optional<Candidate<ConvCall>> next() override {
    if (!std::exchange(asked_, true)) ask();
    while (!engines_.empty()) {
      const Engine engine = engines_.front();
      engines_.pop_front();
      if (const auto plan = engine.graph->build(engine.index)) return candidate(engine.form, *plan);
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<Candidate<ConvCall>> find(const AlgoId& id) override {
    std::optional<Candidate<ConvCall>> found;
    with_graph(id, [&](const Form& form, ConvGraph& graph) {
      if (const auto plan = graph.build(id.parameters)) found = candidate(form, *plan);
    });
    return found;
  }
  [[nodiscard]] std::vector<Knob> knobs(const AlgoId& id) override {
    std::vector<Knob> found;
    with_graph(id, [&](const Form&, ConvGraph& graph) { found = graph.knobs(id.parameters); });
    return found;
  }

  [[nodiscard]] std::string refusal() const override { return refusal_; }

 private:
  struct Engine {
    Form form;
    std::shared_ptr<ConvGraph> graph;
    std::int64_t index = 0;  ///< of the graph
    bool precompiled = false;
    std::size_t rank = 0;  ///< among the graph's engines
  };

  /// Calls use(form, graph) for the form that the id names. An id may come from anywhere: whatever
  /// cuDNN has against it, it is not one of ours.
  template <class Use>
  void with_graph(const AlgoId& id, Use use) const {
    for (const Form& form : forms(problem_)) {
      if (id.implementation != implementation(problem_, form)) continue;
      try {
        ConvGraph graph(graph_problem(problem_, form), form.graph);
        graph.prepare(handle_);
        use(form, graph);
      } catch (const std::exception&) {
        return;
      }
    }
  }

  /// Asks cuDNN for the engines of every form.
  void ask() {
    for (const Form& form : forms(problem_)) {
      auto graph = std::make_shared<ConvGraph>(graph_problem(problem_, form), form.graph);
      try {
        graph->prepare(handle_);
        graph->find_engines();
      } catch (const std::exception& error) {
        refusal_ += (refusal_.empty() ? "" : "; ") + std::string(error.what());
        continue;
      }
      const auto precompiled = static_cast<std::size_t>(graph->precompiled_engine_count());
      for (std::size_t rank = 0; rank < graph->engines().size(); ++rank) {
        engines_.push_back({form, graph, graph->engines()[rank], rank < precompiled, rank});
      }
    }
    std::stable_sort(engines_.begin(), engines_.end(), [](const Engine& a, const Engine& b) {
      return std::pair(!a.precompiled, a.rank) < std::pair(!b.precompiled, b.rank);
    });
  }

  [[nodiscard]] Candidate<ConvCall> candidate(const Form& form, const CudnnPlan& plan) const {
    const AlgoId id{implementation(problem_, form), plan.parameters};
    if (padded_bytes_ == 0) {
      return {
          id, plan.workspace_bytes,
          [=, handle = handle_, stream = runtime_.stream()](const ConvCall& call, void* workspace) {
            plan.run(handle, bind(call, form, call.from.data), workspace);
            finish(call, form, stream);
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
              finish(call, form, stream);
            }};
  }

  Runtime& runtime_;
  cudnnHandle_t handle_;
  ConvProblem problem_;
  std::size_t padded_bytes_;  ///< of workspace before the engine's own
  bool asked_ = false;
  std::deque<Engine> engines_;  ///< that are left to be tried
  std::string refusal_;
};

}  // namespace

std::unique_ptr<CudnnConv> make_cudnn_conv(Runtime& runtime, Precision precision,
                                           const ConvParameters& parameters) {
  const DataType storage = storage_of(precision);
  auto conv = std::make_unique<CudnnConv>();
  conv->in_channels = parameters.in_channels;
  conv->out_channels = parameters.out_channels;
  if (parameters.in_channels == 3) {
    conv->padded = upload(runtime, pad_channels(parameters.weight), storage);
  }
  conv->stored_bias = upload(runtime, parameters.bias, storage);
  conv->no_bias = upload(
      runtime, std::vector<float>(static_cast<std::size_t>(parameters.in_channels)), storage);
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
