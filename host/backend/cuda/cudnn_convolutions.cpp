// SPDX-License-Identifier: MIT
#include "host/backend/cuda/cudnn_convolutions.hpp"

#include <algorithm>

#include "host/core/error.hpp"
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/float16.hpp"

namespace impasto::cuda {
namespace {

struct CudnnConv final : Conv {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  Buffer weight;   ///< (Cout,3,3,Cin)
  Buffer rotated;  ///< (Cin,3,3,Cout): what the data gradient convolves with
  Buffer bias;     ///< (Cout), float
};

void require_success(cudnnStatus_t status, const char* call) {
  if (status != CUDNN_STATUS_SUCCESS) {
    fail(ErrorKind::backend, "{}: {}", call, cudnnGetErrorString(status));
  }
}

/// weight'[c,r,s,k] = weight[k,2−r,2−s,c]
std::vector<float> rotate(const ConvParameters& parameters) {
  const auto C = static_cast<std::size_t>(parameters.in_channels);
  const auto K = static_cast<std::size_t>(parameters.out_channels);
  std::vector<float> rotated(parameters.weight.size());
  for (std::size_t c = 0; c < C; ++c) {
    for (std::size_t tap = 0; tap < 9; ++tap) {
      for (std::size_t k = 0; k < K; ++k) {
        rotated[(c * 9 + tap) * K + k] = parameters.weight[(k * 9 + 8 - tap) * C + c];
      }
    }
  }
  return rotated;
}

DataType storage_of(Precision precision) {
  switch (precision) {
    case Precision::bf16: return DataType::bf16;
    case Precision::fp16: return DataType::fp16;
    default: return DataType::f32;
  }
}

kernels::ConvSize size_of(const Shape& map, const CudnnConv& conv) {
  return {map.batch, map.height, map.width, conv.in_channels, conv.out_channels};
}

}  // namespace

CudnnConvolutions::CudnnConvolutions(Runtime& runtime, Precision precision)
    : runtime_(runtime), precision_(precision) {
  require_success(cudnnCreate(&handle_), "cudnnCreate");
  require_success(cudnnSetStream(handle_, runtime.stream()), "cudnnSetStream");
}

CudnnConvolutions::~CudnnConvolutions() { cudnnDestroy(handle_); }

std::string CudnnConvolutions::library() const {
  const std::size_t version = cudnnGetVersion();
  return fmt::format("cuDNN {}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

Buffer CudnnConvolutions::upload(const std::vector<float>& values, DataType type) {
  const auto send = [&]<class T>(T) {
    std::vector<T> stored(values.size());
    std::transform(values.begin(), values.end(), stored.begin(),
                   [](float value) { return static_cast<T>(value); });
    Buffer memory = runtime_.allocate(stored.size() * sizeof(T));
    runtime_.copy_to_device(memory.get(), stored.data(), stored.size() * sizeof(T));
    runtime_.synchronize();
    return memory;
  };
  switch (type) {
    case DataType::bf16: return send(kernels::bfloat16{});
    case DataType::fp16: return send(kernels::float16{});
    default: return send(float{});
  }
}

std::unique_ptr<Conv> CudnnConvolutions::make(const ConvParameters& parameters) {
  auto conv = std::make_unique<CudnnConv>();
  conv->in_channels = parameters.in_channels;
  conv->out_channels = parameters.out_channels;
  conv->weight = upload(parameters.weight, storage_of(precision_));
  conv->rotated = upload(rotate(parameters), storage_of(precision_));
  conv->bias = upload(parameters.bias, DataType::f32);
  return conv;
}

void CudnnConvolutions::forward(const Tensor& y, const Tensor& x, Conv& conv, bool relu,
                                Scratch& scratch) {
  const auto& own = static_cast<CudnnConv&>(conv);
  run({ConvProblem::Kind::forward, precision_, size_of(x.shape, own), relu, {}},
      {{conv_x, x.data},
       {conv_weight, own.weight.get()},
       {conv_bias, own.bias.get()},
       {conv_y, y.data}},
      scratch);
}

void CudnnConvolutions::data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                                      Conv& conv, const GradientEpilogue& epilogue,
                                      Scratch& scratch) {
  const auto& own = static_cast<CudnnConv&>(conv);
  std::unordered_map<std::int64_t, void*> tensors = {
      {conv_x, grad_y.data}, {conv_weight, own.rotated.get()}, {conv_y, grad_x.data}};
  if (epilogue.accumulate) tensors[conv_sum] = grad_x.data;
  if (epilogue.relu_mask) tensors[conv_mask] = x.data;
  run({ConvProblem::Kind::data_gradient, precision_, size_of(grad_x.shape, own), false, epilogue},
      tensors, scratch);
}

void CudnnConvolutions::run(const ConvProblem& problem,
                            const std::unordered_map<std::int64_t, void*>& tensors,
                            Scratch& scratch) {
  Plan& plan = plans_[problem.describe()];
  if (!plan.graph) {
    auto graph = std::make_unique<ConvGraph>(problem);
    plan.workspace_bytes = graph->build_for(handle_);
    plan.graph = std::move(graph);
  }
  auto* workspace = scratch.get<unsigned char>(plan.workspace_bytes);
  if (!scratch.measuring()) plan.graph->run(handle_, tensors, workspace);
}

}  // namespace impasto::cuda
