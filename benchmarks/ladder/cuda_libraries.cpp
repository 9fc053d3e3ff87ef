// SPDX-License-Identifier: MIT
// Rung 0 on a GPU. Not yet run on one.
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "benchmarks/ladder/libraries.hpp"
#include "host/backend/cuda/cublaslt_library.hpp"
#include "host/backend/cuda/cudnn_library.hpp"
#include "host/backend/cuda/product.hpp"
#include "host/backend/cuda/style_backward_ways.hpp"
#include "host/backend/device/stream_trials.hpp"
#include "host/backend/tuning/chooser.hpp"
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

/// A problem and the library's handle that its ways are for.
template <class Tensors>
struct Opened {
  std::shared_ptr<void> handle;
  std::shared_ptr<Problem<Tensors>> problem;
};

/// The fastest way on `tensors`, as the backend would choose it but with time for every engine.
template <class Tensors>
std::function<void()> fastest(Runtime& runtime, std::function<Opened<Tensors>()> open,
                              const Tensors& tensors) {
  struct Chosen {
    Opened<Tensors> opened;
    Way<Tensors> way;
    std::shared_ptr<void> workspace;
  };
  return [=, &runtime, open = std::move(open), chosen = std::make_shared<std::optional<Chosen>>()] {
    if (!*chosen) {
      Opened<Tensors> opened = open();
      Chooser::Limits limits;
      limits.building = std::chrono::minutes(1);
      Chooser chooser(
          Tuning::retune, PlanCache("", {}),
          [&](std::span<const Trial> trials) { return time_on_stream(runtime, trials); }, limits);
      Way<Tensors> way = chooser.choose(*opened.problem);
      auto workspace = runtime.allocate(static_cast<std::size_t>(way.workspace_bytes) + 1);
      *chosen = Chosen{std::move(opened), std::move(way), std::move(workspace)};
    }
    (*chosen)->way.enqueue(tensors, (*chosen)->workspace.get());
  };
}

struct GramTensors {
  Tensor gram;
  Tensor features;
};

/// cuBLASLt's algorithms for G = FᵀF. They are no way of the backend: which of them is best, and
/// with it the order of a sum, changes with the batch, and the whole of G is computed and not the
/// upper triangle alone.
class GramWays final : public Problem<GramTensors> {
 public:
  GramWays(Runtime& runtime, cublasLtHandle_t handle, Precision precision, const GramTensors& call)
      : runtime_(runtime),
        call_(call),
        product_(
            std::make_shared<Product>(handle, precision, Product::Kind::gram, call.features.shape)),
        proposed_(product_->propose(most_workspace_bytes)),
        scalars_(runtime.allocate(sizeof(kernels::cuda::ProductScalars))) {
    constexpr kernels::cuda::ProductScalars plain{1, 0};
    runtime.copy_to_device(scalars_.get(), &plain, sizeof plain);
    runtime.synchronize();
  }

  [[nodiscard]] std::string describe() const override {
    return "gram " + to_string(call_.features.shape);
  }
  [[nodiscard]] std::optional<Way<GramTensors>> next() override {
    if (next_ == proposed_.size()) return std::nullopt;
    const ProductAlgorithm& algorithm = proposed_[next_++];
    return Way<GramTensors>{
        {"cuBLASLt", algorithm.parameters},
        algorithm.workspace_bytes,
        [=, product = product_, scalars = scalars_, stream = runtime_.stream()](
            const GramTensors& tensors, void* workspace) {
          product->run(algorithm, tensors.gram.data, tensors.features.data, tensors.features.data,
                       static_cast<const kernels::cuda::ProductScalars*>(scalars.get()), workspace,
                       stream);
        }};
  }
  /// Nothing is kept from one run to the next.
  [[nodiscard]] std::optional<Way<GramTensors>> make(const Recipe& /*recipe*/) override {
    return std::nullopt;
  }
  [[nodiscard]] Stage set_up(std::int64_t workspace_bytes) override {
    auto workspace = runtime_.allocate(static_cast<std::size_t>(workspace_bytes) + 1);
    return {call_, workspace.get(), workspace};
  }

 private:
  static constexpr std::int64_t most_workspace_bytes = std::int64_t{64} << 20U;

  Runtime& runtime_;
  GramTensors call_;
  std::shared_ptr<Product> product_;
  std::vector<ProductAlgorithm> proposed_;
  std::size_t next_ = 0;
  std::shared_ptr<void> scalars_;
};

}  // namespace

std::vector<LibraryRung> gram_libraries(Runtime& runtime, const Tensor& gram,
                                        const Tensor& features) {
  std::vector<LibraryRung> rungs;
  if (!has_cublaslt()) return rungs;
  const GramTensors tensors{gram, features};
  for (const kernels::Rung& rung : cublaslt_rungs(features.type)) {
    const Precision precision = precision_of(features.type, rung.arithmetic);
    const auto open = [=, &runtime] {
      const auto handle = open_cublaslt();
      return Opened<GramTensors>{
          handle, std::make_shared<GramWays>(runtime, handle.get(), precision, tensors)};
    };
    rungs.push_back({rung, fastest<GramTensors>(runtime, open, tensors)});
  }
  return rungs;
}

std::vector<LibraryRung> style_backward_libraries(Runtime& runtime, const Tensor& grad,
                                                  const Tensor& features, const Tensor& matrix,
                                                  const kernels::GradientEpilogue& epilogue) {
  const StyleTensors tensors{grad, features, matrix, nullptr};
  std::vector<LibraryRung> rungs;
  const auto add = [&](const kernels::Rung& rung, auto open_library) {
    const Precision precision = precision_of(features.type, rung.arithmetic);
    const auto open = [=, &runtime] {
      const auto [handle, libraries] = open_library();
      return Opened<StyleTensors>{handle, std::make_shared<StyleBackwardWays>(
                                              runtime, libraries, precision, epilogue, tensors)};
    };
    rungs.push_back({rung, fastest<StyleTensors>(runtime, open, tensors)});
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

}  // namespace impasto::bench::cuda
