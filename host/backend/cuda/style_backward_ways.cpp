// SPDX-License-Identifier: MIT
#include "host/backend/cuda/style_backward_ways.hpp"

#include <fmt/format.h>

#include "host/backend/cuda/trial_memory.hpp"
#include "host/backend/device/storage.hpp"
#include "kernels/style_backward/style_backward.hpp"

namespace impasto::cuda {
namespace {

namespace launch = kernels::cuda;
using kernels::cuda::ProductScalars;

constexpr auto implementation = "cuBLASLt";
constexpr std::int64_t most_workspace_bytes = std::int64_t{64} << 20U;

/// The scalars, the rounded matrices, the product's own workspace: each on a boundary of 256 bytes.
constexpr std::int64_t scalar_bytes = 256;
std::int64_t rounded_bytes(const Shape& map) {
  const std::int64_t bytes = launch::product_workspace(map) * std::int64_t{sizeof(float)};
  return (bytes + 255) / 256 * 256;
}

}  // namespace

StyleBackwardWays::StyleBackwardWays(Runtime& runtime, cublasLtHandle_t handle, Precision precision,
                                     const GradientEpilogue& epilogue, const StyleTensors& call)
    : runtime_(runtime),
      precision_(precision),
      epilogue_(epilogue),
      call_(call),
      product_(std::make_shared<Product>(handle, precision, call.features.shape)) {}

std::string StyleBackwardWays::describe() const {
  return fmt::format("{} style backward {}{}{}", to_string(precision_),
                     to_string(call_.features.shape), epilogue_.accumulate ? ", add" : "",
                     epilogue_.relu_mask ? ", mask" : "");
}

Way<StyleTensors> StyleBackwardWays::around(const ProductAlgorithm& algorithm) const {
  const Shape map = call_.features.shape;
  const DataType type = call_.features.type;
  const std::int64_t before_product = scalar_bytes + rounded_bytes(map);
  return {{implementation, algorithm.parameters},
          before_product + algorithm.workspace_bytes,
          [=, product = product_, epilogue = epilogue_, stream = runtime_.stream()](
              const StyleTensors& tensors, void* workspace) {
            auto* bytes = static_cast<std::byte*>(workspace);
            auto* scalars = static_cast<ProductScalars*>(workspace);
            dispatch(type, [&]<class T>(T) {
              const T* rounded = launch::round_for_product<T>(
                  scalars, tensors.matrix.as<float>(), map, epilogue.accumulate,
                  reinterpret_cast<float*>(bytes + scalar_bytes), stream);
              product->run(algorithm, tensors.grad.data, tensors.features.data, rounded, scalars,
                           bytes + before_product, stream);
              if (epilogue.relu_mask) {
                launch::relu_mask(tensors.grad.as<T>(), tensors.features.as<T>(), map.count(),
                                  stream);
              }
            });
          }};
}

std::optional<Way<StyleTensors>> StyleBackwardWays::next() {
  if (!asked_) proposed_ = product_->propose(most_workspace_bytes);
  asked_ = true;
  if (next_ == proposed_.size()) return std::nullopt;
  return around(proposed_[next_++]);
}

std::optional<Way<StyleTensors>> StyleBackwardWays::make(const Recipe& recipe) {
  if (recipe.implementation != implementation) return std::nullopt;
  const auto algorithm = product_->configure(recipe.parameters);
  if (!algorithm) return std::nullopt;
  return around(*algorithm);
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
