// SPDX-License-Identifier: MIT
#include "host/backend/cuda/cuda_libraries.hpp"

#include <array>
#include <chrono>

#include "host/backend/cuda/cublaslt_library.hpp"
#include "host/backend/cuda/cudnn_library.hpp"
#include "host/backend/device/storage.hpp"
#include "host/backend/device/stream_trials.hpp"
#include "host/backend/device/upload.hpp"
#include "host/backend/tuning/own_kernel.hpp"
#include "host/core/error.hpp"
#include "kernels/preprocess/preprocess.hpp"

namespace impasto::cuda {
namespace {

Chooser make_chooser(Runtime& runtime, Tuning tuning) {
  Chooser::Limits limits;
  // Who asks for tuning has time for every engine.
  if (tuning == Tuning::retune) limits.building = std::chrono::minutes(10);
  // Without tuning not even the file is looked at.
  cudaDeviceProp gpu{};
  const cudaError_t status = cudaGetDeviceProperties(&gpu, runtime.index());
  if (status != cudaSuccess) {
    fail(ErrorKind::backend, "cudaGetDeviceProperties: {}", cudaGetErrorString(status));
  }
  const std::string folder = tuning == Tuning::off ? "" : cache_folder();
  return {tuning, PlanCache(folder, machine_of(gpu)),
          [&runtime](std::span<const Trial> trials) { return time_on_stream(runtime, trials); },
          limits};
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

/// Filters of three channels with zeros for the others.
std::vector<float> pad_channels(const std::vector<float>& weight) {
  constexpr auto padded = static_cast<std::size_t>(kernels::cuda::padded_channels);
  std::vector<float> wide(weight.size() / 3 * padded);
  for (std::size_t i = 0; i < weight.size(); ++i) wide[i / 3 * padded + i % 3] = weight[i];
  return wide;
}

kernels::ConvSize size_of(const Shape& map, const CudnnConv& conv) {
  return {map.batch, map.height, map.width, conv.in_channels, conv.out_channels};
}

}  // namespace

CudaLibraries::CudaLibraries(Runtime& runtime, Precision precision, Tuning tuning)
    : runtime_(runtime),
      precision_(precision),
      cudnn_(open_cudnn(runtime.stream())),
      cublaslt_(open_cublaslt()),
      chooser_(make_chooser(runtime, tuning)) {}

std::string CudaLibraries::names() const {
  return fmt::format("CUDA {}.{}, cuDNN {}, cuBLASLt {}", CUDART_VERSION / 1000,
                     CUDART_VERSION % 1000 / 10, cudnn_version(), cublaslt_version());
}

std::unique_ptr<Conv> CudaLibraries::make_conv(const ConvParameters& parameters) {
  const bool first = parameters.in_channels == 3;
  const DataType storage = storage_of(precision_);
  auto conv = std::make_unique<CudnnConv>();
  conv->in_channels = first ? kernels::cuda::padded_channels : parameters.in_channels;
  conv->out_channels = parameters.out_channels;
  conv->weight =
      upload(runtime_, first ? pad_channels(parameters.weight) : parameters.weight, storage);
  // Our own kernel takes the first layer's gradient to the pixels.
  if (!first) conv->rotated = upload(runtime_, rotate(parameters), storage);
  conv->bias = upload(runtime_, parameters.bias, DataType::f32);
  return conv;
}

template <class Tensors>
void CudaLibraries::run(Problem<Tensors>& problem, const Tensors& tensors, Ways<Tensors>& ways,
                        Scratch& scratch) {
  runtime_.make_current();
  const std::string name = problem.describe();
  auto known = ways.find(name);
  if (known == ways.end()) known = ways.emplace(name, chooser_.choose(problem)).first;
  const Way<Tensors>& way = known->second;
  void* workspace = scratch.get<unsigned char>(way.workspace_bytes);
  if (!scratch.measuring()) way.enqueue(tensors, workspace);
}

void CudaLibraries::conv_forward(const Tensor& y, const Tensor& x, Conv& conv, bool relu,
                                 Scratch& scratch) {
  const auto& own = static_cast<CudnnConv&>(conv);
  ConvWays problem(runtime_, cudnn_.get(),
                   {ConvProblem::Kind::forward, precision_, size_of(x.shape, own), relu, {}}, own);
  run(problem, {y.data, x.data, nullptr, &own}, conv_ways_, scratch);
}

void CudaLibraries::conv_data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                                       Conv& conv, const GradientEpilogue& epilogue,
                                       Scratch& scratch) {
  const auto& own = static_cast<CudnnConv&>(conv);
  ConvWays problem(
      runtime_, cudnn_.get(),
      {ConvProblem::Kind::data_gradient, precision_, size_of(grad_x.shape, own), false, epilogue},
      own);
  run(problem, {grad_x.data, grad_y.data, x.data, &own}, conv_ways_, scratch);
}

void CudaLibraries::first_conv_forward(const Tensor& y, const Tensor& pixels, Conv& conv,
                                       const std::array<float, 3>& mean, bool relu,
                                       const OwnKernel& kernel, Scratch& scratch) {
  const FirstConvTensors call{y, pixels, mean, &static_cast<CudnnConv&>(conv), &kernel};
  FirstConvWays library(runtime_, cudnn_.get(), precision_, relu, call);
  WithOwnKernel<FirstConvTensors> problem(
      library, {{}, kernel.workspace_bytes, [](const FirstConvTensors& tensors, void* workspace) {
                  tensors.kernel->enqueue(std::array{tensors.y, tensors.pixels}, workspace);
                }});
  run<FirstConvTensors>(problem, call, first_conv_ways_, scratch);
}

void CudaLibraries::style_backward(const Tensor& grad, const Tensor& features, const Tensor& matrix,
                                   const GradientEpilogue& epilogue, const OwnKernel& kernel,
                                   Scratch& scratch) {
  const StyleTensors call{grad, features, matrix, &kernel};
  StyleBackwardWays library(runtime_, {cublaslt_.get(), cudnn_.get()}, precision_, epilogue, call);
  WithOwnKernel<StyleTensors> problem(
      library, {{}, kernel.workspace_bytes, [](const StyleTensors& tensors, void* workspace) {
                  tensors.kernel->enqueue(
                      std::array{tensors.grad, tensors.features, tensors.matrix}, workspace);
                }});
  run<StyleTensors>(problem, call, style_backward_ways_, scratch);
}

Machine machine_of(const cudaDeviceProp& gpu) {
  return {{"gpu", gpu.name},
          {"compute_capability", fmt::format("{}.{}", gpu.major, gpu.minor)},
          {"cudnn", cudnn_version()},
          {"cublaslt", cublaslt_version()}};
}

}  // namespace impasto::cuda
