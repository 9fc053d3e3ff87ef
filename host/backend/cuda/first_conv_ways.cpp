// SPDX-License-Identifier: MIT
#include "host/backend/cuda/first_conv_ways.hpp"

#include "host/backend/cuda/trial_memory.hpp"
#include "host/backend/device/storage.hpp"
#include "kernels/preprocess/preprocess.hpp"

namespace impasto::cuda {
namespace {

namespace launch = kernels::cuda;

ConvProblem padded_problem(Precision precision, bool relu, const FirstConvTensors& call) {
  const Shape& map = call.y.shape;
  return {ConvProblem::Kind::forward,
          precision,
          {map.batch, map.height, map.width, launch::padded_channels, map.channels},
          relu,
          {}};
}

}  // namespace

FirstConvWays::FirstConvWays(Runtime& runtime, cudnnHandle_t handle, Precision precision, bool relu,
                             const FirstConvTensors& call)
    : runtime_(runtime),
      problem_(padded_problem(precision, relu, call)),
      call_(call),
      padded_(runtime, handle, problem_, *call.conv) {}

std::string FirstConvWays::describe() const {
  ConvProblem named = problem_;
  named.size.in_channels = 3;
  return named.describe();
}

Way<FirstConvTensors> FirstConvWays::around(const Way<ConvTensors>& convolution) const {
  const Shape& pixels = call_.pixels.shape;
  const Tensor padded{
      nullptr, {pixels.batch, pixels.height, pixels.width, launch::padded_channels}, call_.y.type};
  const std::size_t padded_bytes = aligned_bytes(padded);
  return {convolution.recipe, convolution.workspace_bytes + static_cast<std::int64_t>(padded_bytes),
          [=, stream = runtime_.stream()](const FirstConvTensors& tensors, void* workspace) {
            const Shape& size = tensors.pixels.shape;
            dispatch(padded.type, [&]<class T>(T) {
              launch::preprocess_padded(static_cast<T*>(workspace), tensors.pixels.as<float>(),
                                        tensors.mean, size.batch * size.pixels(), stream);
            });
            convolution.enqueue({tensors.y.data, workspace, nullptr, tensors.conv},
                                static_cast<std::byte*>(workspace) + padded_bytes);
          }};
}

std::optional<Way<FirstConvTensors>> FirstConvWays::next() {
  const auto convolution = padded_.next();
  if (!convolution) return std::nullopt;
  return around(*convolution);
}

std::optional<Way<FirstConvTensors>> FirstConvWays::make(const Recipe& recipe) {
  const auto convolution = padded_.make(recipe);
  if (!convolution) return std::nullopt;
  return around(*convolution);
}

FirstConvWays::Stage FirstConvWays::set_up(std::int64_t workspace_bytes) {
  TrialMemory memory(runtime_);
  Stage stage{call_, nullptr, nullptr};
  stage.tensors.y.data = memory.get(call_.y.bytes());
  stage.tensors.pixels.data = memory.get(call_.pixels.bytes());
  stage.workspace = memory.get(static_cast<std::size_t>(workspace_bytes));
  stage.memory = memory.keep();
  return stage;
}

}  // namespace impasto::cuda
