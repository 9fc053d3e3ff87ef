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

/// What a rung of this arithmetic is for a library, by the type of the maps.
Precision precision_of(DataType type, Arithmetic arithmetic) {
  if (type == DataType::bf16) return Precision::bf16;
  if (type == DataType::fp16) return Precision::fp16;
  return arithmetic == Arithmetic::fp32 ? Precision::fp32 : Precision::tf32;
}

/// Libraries multiply 16 bits on tensor cores alone.
std::vector<kernels::Rung> cublaslt_rungs(DataType type) {
  constexpr auto idea = "the fastest that it proposes";
  std::vector<kernels::Rung> rungs;
  if (type == DataType::f32) rungs.push_back({"rung_0_cublaslt", idea});
  rungs.push_back({"rung_0_cublaslt_on_tensor_cores", idea, Arithmetic::tensor_cores, 80});
  return rungs;
}

/// A library's candidates, and the handle that they need as long as they live.
template <class Call>
struct Proposals {
  std::shared_ptr<void> handle;
  std::vector<Candidate<Call>> candidates;
};

template <class Call>
Launch fastest(Runtime& runtime, const Call& call, const Proposals<Call>& proposals) {
  if (proposals.candidates.empty()) fail(ErrorKind::backend, "the library has no way to do this");
  std::int64_t workspace_bytes = 1;
  for (const Candidate<Call>& each : proposals.candidates) {
    workspace_bytes = std::max(workspace_bytes, each.workspace_bytes);
  }
  const auto workspace = runtime.allocate(static_cast<std::size_t>(workspace_bytes));
  std::vector<Launch> launches;
  for (const Candidate<Call>& each : proposals.candidates) {
    launches.emplace_back([=, handle = proposals.handle] { each.enqueue(call, workspace.get()); });
  }
  const std::vector<double> times = time_on_stream(runtime, launches);
  const auto least = std::min_element(times.begin(), times.end());
  if (*least == failed_timing) fail(ErrorKind::backend, "nothing that the library proposes runs");
  return launches[static_cast<std::size_t>(least - times.begin())];
}

/// The rung whose first launch asks the library for `proposals` and times them on the tensors of
/// `call`.
template <class Call>
LibraryRung library_rung(const kernels::Rung& rung, Runtime& runtime, const Call& call,
                         std::function<Proposals<Call>()> proposals) {
  return {rung, [=, &runtime, chosen = std::make_shared<Launch>()] {
            if (!*chosen) *chosen = fastest(runtime, call, proposals());
            (*chosen)();
          }};
}

struct GramCall {
  Tensor gram;
  Tensor features;
};

/// cuBLASLt's algorithms for G = FᵀF. The backend does not use them: which of them is best, and
/// with it the order of a sum, changes with the batch, and they compute the whole of G, not only
/// the upper triangle.
Proposals<GramCall> gram_proposals(Runtime& runtime, Precision precision, const Shape& features) {
  constexpr kernels::cuda::ProductScalars plain{1, 0};
  const std::shared_ptr<void> scalars = runtime.allocate(sizeof plain);
  runtime.copy_to_device(scalars.get(), &plain, sizeof plain);
  runtime.synchronize();
  const auto handle = open_cublaslt();
  const auto matmul =
      std::make_shared<Matmul>(handle.get(), precision, Matmul::Kind::gram, features);
  Proposals<GramCall> proposals{handle, {}};
  for (const MatmulAlgorithm& algorithm : matmul->propose(most_workspace_bytes)) {
    const auto enqueue = [=, stream = runtime.stream()](const GramCall& call, void* workspace) {
      matmul->run(algorithm, call.gram.data, call.features.data, call.features.data,
                  static_cast<const kernels::cuda::ProductScalars*>(scalars.get()), workspace,
                  stream);
    };
    proposals.candidates.push_back({{}, algorithm.workspace_bytes, enqueue});
  }
  return proposals;
}

/// The backend's candidates. cuDNN compiles each of its engines: no further one after a minute.
Proposals<StyleBackwardCall> style_backward_proposals(Runtime& runtime,
                                                      std::shared_ptr<void> handle,
                                                      const StyleLibraries& libraries,
                                                      const StyleBackwardCall& call) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + std::chrono::minutes(1);
  Proposals<StyleBackwardCall> proposals{std::move(handle), {}};
  const auto candidates = style_backward_candidates(runtime, libraries, call);
  for (auto next = candidates->next(); next; next = candidates->next()) {
    if (next->workspace_bytes <= most_workspace_bytes) proposals.candidates.push_back(*next);
    if (Clock::now() > end) break;
  }
  return proposals;
}

/// Joined to the gradient from above and masked, as benchmarks measure it.
StyleBackwardCall style_backward_call(std::span<const Tensor> tensors, Arithmetic arithmetic) {
  constexpr GradientEpilogue epilogue{.accumulate = true, .relu_mask = true};
  const Tensor& features = tensors[1];
  return {{precision_of(features.type, arithmetic), features.shape, epilogue},
          tensors[0],
          features,
          tensors[2]};
}

}  // namespace

std::vector<LibraryRung> library_rungs(std::string_view op, Runtime& runtime,
                                       std::span<const Tensor> tensors) {
  std::vector<LibraryRung> rungs;
  if (op == "gram" && can_load<&cublaslt>()) {
    const GramCall call{tensors[0], tensors[1]};
    for (const kernels::Rung& rung : cublaslt_rungs(call.features.type)) {
      const Precision precision = precision_of(call.features.type, rung.arithmetic);
      rungs.push_back(library_rung<GramCall>(rung, runtime, call, [=, &runtime] {
        return gram_proposals(runtime, precision, call.features.shape);
      }));
    }
  }
  if (op == "style_backward" && can_load<&cublaslt>()) {
    for (const kernels::Rung& rung : cublaslt_rungs(tensors[1].type)) {
      const StyleBackwardCall call = style_backward_call(tensors, rung.arithmetic);
      rungs.push_back(library_rung<StyleBackwardCall>(rung, runtime, call, [=, &runtime] {
        const auto handle = open_cublaslt();
        return style_backward_proposals(runtime, handle, {.cublaslt = handle.get()}, call);
      }));
    }
  }
  // Without tensor cores cuDNN has no engine for this.
  if (op == "style_backward" && can_load<&load_cudnn>()) {
    const kernels::Rung rung{"rung_0_cudnn_on_tensor_cores", "sum and mask in its product",
                             Arithmetic::tensor_cores, 80};
    const StyleBackwardCall call = style_backward_call(tensors, rung.arithmetic);
    rungs.push_back(library_rung<StyleBackwardCall>(rung, runtime, call, [=, &runtime] {
      const auto handle = open_cudnn(runtime.stream());
      return style_backward_proposals(runtime, handle, {.cudnn = handle.get()}, call);
    }));
  }
  return rungs;
}

}  // namespace impasto::bench::cuda
