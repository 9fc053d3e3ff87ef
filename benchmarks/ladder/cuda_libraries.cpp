// SPDX-License-Identifier: MIT
// Rung 0 on a GPU: what the libraries do.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <utility>

#include "benchmarks/ladder/measure.hpp"
#include "host/backend/cuda/candidates.hpp"
#include "host/backend/cuda/cublaslt.hpp"
#include "host/backend/cuda/cuda_backend.hpp"
#include "host/backend/cuda/cudnn.hpp"
#include "host/backend/device/stream.hpp"
#include "host/backend/tuning/autotuner.hpp"
#include "host/core/error.hpp"

namespace impasto::bench::cuda {
namespace {

using namespace impasto::cuda;
using kernels::Arithmetic;

constexpr std::int64_t most_workspace_bytes = std::int64_t{256} << 20U;

/// Whether `load` finds its library; says once why not.
template <auto load>
bool can_load() {
  static const bool found = [] {
    try {
      load();
      return true;
    } catch (const Error& error) {
      std::fprintf(stderr, "left out: %s\n", error.what());
      return false;
    }
  }();
  return found;
}

using Tensors = std::span<const Tensor>;

/// One way in which a library does it; it keeps what it needs alive.
struct Way {
  std::int64_t workspace_bytes;
  std::function<void(Tensors tensors, void* workspace)> enqueue;
};

/// The fastest on these tensors of all ways that a library proposes.
Contender::LaunchOn fastest(Runtime& runtime, const std::vector<Way>& ways, Tensors tensors) {
  if (ways.empty()) fail(ErrorKind::backend, "the library has no way to do this");
  std::int64_t workspace_bytes = 1;
  for (const Way& each : ways) workspace_bytes = std::max(workspace_bytes, each.workspace_bytes);
  const auto workspace = runtime.allocate(static_cast<std::size_t>(workspace_bytes));
  std::vector<Launch> launches;
  for (const Way& each : ways) {
    launches.emplace_back([&] { each.enqueue(tensors, workspace.get()); });
  }
  const std::vector<double> times = time_on_stream(runtime, launches);
  const auto least = std::min_element(times.begin(), times.end());
  if (*least == failed_timing) fail(ErrorKind::backend, "nothing that the library proposes runs");
  const Way& way = ways[static_cast<std::size_t>(least - times.begin())];
  return [=](Tensors on) { way.enqueue(on, workspace.get()); };
}

/// cuBLASLt's algorithms for G = FᵀF. The backend does not use them: which of them is best, and
/// with it the order of a sum, changes with the batch, and they compute the whole of G, not only
/// the upper triangle.
std::vector<Way> gram_ways(Runtime& runtime, Precision precision, Tensors tensors) {
  constexpr kernels::cuda::ProductScalars plain{1, 0};
  const std::shared_ptr<void> scalars = runtime.allocate(sizeof plain);
  runtime.copy_to_device(scalars.get(), &plain, sizeof plain);
  runtime.synchronize();
  const auto handle = open_cublaslt();
  const auto matmul =
      std::make_shared<Matmul>(handle.get(), precision, Matmul::Kind::gram, tensors[1].shape);
  std::vector<Way> ways;
  for (const MatmulAlgorithm& algorithm : matmul->propose(most_workspace_bytes)) {
    const auto enqueue = [=, handle = handle, stream = runtime.stream()](Tensors on,
                                                                         void* workspace) {
      matmul->run(algorithm, on[0].data, on[1].data, on[1].data,
                  static_cast<const kernels::cuda::ProductScalars*>(scalars.get()), workspace,
                  stream);
    };
    ways.push_back({algorithm.workspace_bytes, enqueue});
  }
  return ways;
}

/// The backend's candidates, joined to the gradient from above and masked, as benchmarks measure it.
/// cuDNN compiles each of its engines: no further one after a minute.
std::vector<Way> style_backward_ways(Runtime& runtime, Precision precision, Tensors tensors,
                                     const std::shared_ptr<void>& handle,
                                     const StyleLibraries& libraries) {
  constexpr GradientEpilogue epilogue{.accumulate = true, .relu_mask = true};
  const auto call = [=](Tensors on) {
    return StyleBackwardCall{{precision, on[1].shape, epilogue}, on[0], on[1], on[2]};
  };
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + std::chrono::minutes(1);
  std::vector<Way> ways;
  const auto candidates = style_backward_candidates(runtime, libraries, call(tensors));
  for (auto next = candidates->next(); next; next = candidates->next()) {
    const auto enqueue = [=, handle = handle, candidate = *next](Tensors on, void* workspace) {
      candidate.enqueue(call(on), workspace);
    };
    if (next->workspace_bytes <= most_workspace_bytes) {
      ways.push_back({next->workspace_bytes, enqueue});
    }
    if (Clock::now() > end) break;
  }
  return ways;
}

std::vector<Way> cublaslt_style_ways(Runtime& runtime, Precision precision, Tensors tensors) {
  const auto handle = open_cublaslt();
  return style_backward_ways(runtime, precision, tensors, handle, {.cublaslt = handle.get()});
}

std::vector<Way> cudnn_style_ways(Runtime& runtime, Precision precision, Tensors tensors) {
  const auto handle = open_cudnn(runtime.stream());
  return style_backward_ways(runtime, precision, tensors, handle, {.cudnn = handle.get()});
}

}  // namespace

std::vector<Contender> library_rungs(std::string_view op, Runtime& runtime, Precision precision) {
  const bool tensor_cores = precision != Precision::fp32;
  std::vector<Contender> rungs;
  const auto add = [&](const char* name, const char* idea, auto* ways) {
    const auto arithmetic = tensor_cores ? Arithmetic::tensor_cores : Arithmetic::fp32;
    rungs.push_back({.rung = {name, idea, arithmetic, tensor_cores ? 80 : 75},
                     .instead = [=, &runtime](Tensors tensors) {
                       return fastest(runtime, ways(runtime, precision, tensors), tensors);
                     }});
  };
  const bool style = op == "style_backward";
  if ((style || op == "gram") && can_load<&cublaslt>()) {
    add(tensor_cores ? "rung_0_cublaslt_on_tensor_cores" : "rung_0_cublaslt",
        "the fastest that it proposes", style ? cublaslt_style_ways : gram_ways);
  }
  // Without tensor cores cuDNN has no engine for this.
  if (style && tensor_cores && can_load<&load_cudnn>()) {
    add("rung_0_cudnn_on_tensor_cores", "sum and mask in its product", cudnn_style_ways);
  }
  return rungs;
}

std::map<std::string, std::string> library_details(const Runtime& runtime) {
  return list_cuda_devices().at(static_cast<std::size_t>(runtime.index())).details;
}

}  // namespace impasto::bench::cuda
