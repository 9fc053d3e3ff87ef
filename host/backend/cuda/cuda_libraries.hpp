// SPDX-License-Identifier: MIT
#pragma once

#include <cuda_runtime.h>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/backend/cuda/conv_ways.hpp"
#include "host/backend/cuda/first_conv_ways.hpp"
#include "host/backend/cuda/style_backward_ways.hpp"
#include "host/backend/device/libraries.hpp"
#include "host/backend/tuning/chooser.hpp"

namespace impasto::cuda {

/// cuDNN's convolutions, with bias, ReLU, sum and mask fused, and cuBLASLt's products; beside two
/// of our kernels. A way is chosen for each shape and epilogue when it is first asked for.
class CudaLibraries final : public Libraries {
 public:
  /// The runtime must outlive the object.
  CudaLibraries(Runtime& runtime, Precision precision, Tuning tuning);

  std::string names() const override;
  std::unique_ptr<Conv> make_conv(const ConvParameters& parameters) override;
  void conv_forward(const Tensor& y, const Tensor& x, Conv& conv, bool relu,
                    Scratch& scratch) override;
  void conv_data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x, Conv& conv,
                          const GradientEpilogue& epilogue, Scratch& scratch) override;
  void first_conv_forward(const Tensor& y, const Tensor& pixels, Conv& conv,
                          const std::array<float, 3>& mean, bool relu, const OwnKernel& kernel,
                          Scratch& scratch) override;
  void style_backward(const Tensor& grad, const Tensor& features, const Tensor& matrix,
                      const GradientEpilogue& epilogue, const OwnKernel& kernel,
                      Scratch& scratch) override;

 private:
  /// Ways by their problem's description.
  template <class Tensors>
  using Ways = std::map<std::string, Way<Tensors>>;

  /// Does the problem on `tensors`, which may be without memory while `scratch` is measuring.
  template <class Tensors>
  void run(Problem<Tensors>& problem, const Tensors& tensors, Ways<Tensors>& ways,
           Scratch& scratch);

  Runtime& runtime_;
  Precision precision_;
  std::shared_ptr<cudnnContext> cudnn_;
  std::shared_ptr<cublasLtContext> cublaslt_;
  Chooser chooser_;
  Ways<ConvTensors> conv_ways_;
  Ways<FirstConvTensors> first_conv_ways_;
  Ways<StyleTensors> style_backward_ways_;
};

/// What choices depend on besides their problem: the GPU and the libraries.
Machine machine_of(const cudaDeviceProp& gpu);

}  // namespace impasto::cuda
