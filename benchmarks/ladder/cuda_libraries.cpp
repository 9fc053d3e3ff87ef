// SPDX-License-Identifier: MIT
// Rung 0 on a GPU. Not yet run on one.
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "benchmarks/ladder/libraries.hpp"
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

/// Whether `load` finds its library; says once why not.
bool can_load(void (*load)()) {
  try {
    load();
    return true;
  } catch (const Error& error) {
    std::fprintf(stderr, "left out: %s\n", error.what());
    return false;
  }
}
bool has_cublaslt() {
  static const bool found = can_load([] { cublaslt(); });
  return found;
}
bool has_cudnn() {
  static const bool found = can_load(load_cudnn);
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
struct Opened {
  std::shared_ptr<void> handle;
  std::shared_ptr<Candidates<Call>> candidates;
};

/// The fastest candidate on the tensors of `call`, as the backend would choose it but with time for
/// every engine.
template <class Call>
std::function<void()> fastest(Runtime& runtime, std::function<Opened<Call>()> open,
                              const Call& call) {
  struct Chosen {
    Opened<Call> opened;
    Candidate<Call> candidate;
    std::shared_ptr<void> workspace;
  };
  return [=, &runtime, open = std::move(open), chosen = std::make_shared<std::optional<Chosen>>()] {
    if (!*chosen) {
      Opened<Call> opened = open();
      const auto allocate = [&](std::int64_t bytes) {
        return runtime.allocate(static_cast<std::size_t>(bytes) + 1);
      };
      Autotuner autotuner(
          Tuning::retune, PlanCache("", {}),
          [&](std::span<const Launch> launches) { return time_on_stream(runtime, launches); },
          {.building = std::chrono::minutes(1)});
      Candidate<Call> candidate = autotuner.choose(
          "this row", opened.candidates.get(), std::nullopt, [&](std::int64_t workspace_bytes) {
            auto workspace = allocate(workspace_bytes);
            return TimedCall<Call>{call, workspace.get(), workspace};
          });
      auto workspace = allocate(candidate.workspace_bytes);
      *chosen = Chosen{std::move(opened), std::move(candidate), std::move(workspace)};
    }
    (*chosen)->candidate.enqueue(call, (*chosen)->workspace.get());
  };
}

struct GramCall {
  Tensor gram;
  Tensor features;
};

/// cuBLASLt's algorithms for G = FᵀF. The backend does not use them: which of them is best, and
/// with it the order of a sum, changes with the batch, and they compute the whole of G, not only
/// the upper triangle.
class GramCandidates final : public Candidates<GramCall> {
 public:
  GramCandidates(Runtime& runtime, cublasLtHandle_t handle, Precision precision,
                 const Shape& features)
      : runtime_(runtime),
        matmul_(std::make_shared<Matmul>(handle, precision, Matmul::Kind::gram, features)),
        proposed_(matmul_->propose(most_workspace_bytes)),
        scalars_(runtime.allocate(sizeof(kernels::cuda::ProductScalars))) {
    constexpr kernels::cuda::ProductScalars plain{1, 0};
    runtime.copy_to_device(scalars_.get(), &plain, sizeof plain);
    runtime.synchronize();
  }

  [[nodiscard]] std::optional<Candidate<GramCall>> next() override {
    if (next_ == proposed_.size()) return std::nullopt;
    const MatmulAlgorithm& algorithm = proposed_[next_++];
    return Candidate<GramCall>{
        {"cuBLASLt", algorithm.parameters},
        algorithm.workspace_bytes,
        [=, matmul = matmul_, scalars = scalars_, stream = runtime_.stream()](const GramCall& call,
                                                                              void* workspace) {
          matmul->run(algorithm, call.gram.data, call.features.data, call.features.data,
                      static_cast<const kernels::cuda::ProductScalars*>(scalars.get()), workspace,
                      stream);
        }};
  }
  /// Nothing is kept from one run to the next.
  [[nodiscard]] std::optional<Candidate<GramCall>> find(const AlgoId& /*id*/) override {
    return std::nullopt;
  }

 private:
  static constexpr std::int64_t most_workspace_bytes = std::int64_t{64} << 20U;

  Runtime& runtime_;
  std::shared_ptr<Matmul> matmul_;
  std::vector<MatmulAlgorithm> proposed_;
  std::size_t next_ = 0;
  std::shared_ptr<void> scalars_;
};

std::vector<LibraryRung> gram_libraries(Runtime& runtime, const Tensor& gram,
                                        const Tensor& features) {
  std::vector<LibraryRung> rungs;
  if (!has_cublaslt()) return rungs;
  const GramCall call{gram, features};
  for (const kernels::Rung& rung : cublaslt_rungs(features.type)) {
    const Precision precision = precision_of(features.type, rung.arithmetic);
    const auto open = [=, &runtime] {
      const auto handle = open_cublaslt();
      return Opened<GramCall>{handle, std::make_shared<GramCandidates>(
                                          runtime, handle.get(), precision, call.features.shape)};
    };
    rungs.push_back({rung, fastest<GramCall>(runtime, open, call)});
  }
  return rungs;
}

/// Joined to the gradient from above and masked, as benchmarks measure it.
std::vector<LibraryRung> style_backward_libraries(Runtime& runtime, const Tensor& grad,
                                                  const Tensor& features, const Tensor& matrix) {
  constexpr GradientEpilogue epilogue{.accumulate = true, .relu_mask = true};
  std::vector<LibraryRung> rungs;
  const auto add = [&](const kernels::Rung& rung, auto open_library) {
    const StyleBackwardCall call{
        {precision_of(features.type, rung.arithmetic), features.shape, epilogue},
        grad,
        features,
        matrix};
    const auto open = [=, &runtime] {
      const auto [handle, libraries] = open_library();
      return Opened<StyleBackwardCall>{handle, style_backward_candidates(runtime, libraries, call)};
    };
    rungs.push_back({rung, fastest<StyleBackwardCall>(runtime, open, call)});
  };
  if (has_cublaslt()) {
    for (const kernels::Rung& rung : cublaslt_rungs(features.type)) {
      add(rung, [] {
        const auto handle = open_cublaslt();
        return std::pair<std::shared_ptr<void>, StyleLibraries>{handle, {handle.get(), nullptr}};
      });
    }
  }
  // Without tensor cores it has no engine for this.
  if (has_cudnn()) {
    add({"rung_0_cudnn_on_tensor_cores", "sum and mask in its product", Arithmetic::tensor_cores,
         80},
        [&runtime] {
          const auto handle = open_cudnn(runtime.stream());
          return std::pair<std::shared_ptr<void>, StyleLibraries>{handle, {nullptr, handle.get()}};
        });
  }
  return rungs;
}

}  // namespace

std::vector<LibraryRung> library_rungs(std::string_view op, Runtime& runtime,
                                       std::span<const Tensor> tensors) {
  if (op == "gram") return gram_libraries(runtime, tensors[0], tensors[1]);
  if (op == "style_backward") {
    return style_backward_libraries(runtime, tensors[0], tensors[1], tensors[2]);
  }
  return {};
}

}  // namespace impasto::bench::cuda
