// SPDX-License-Identifier: MIT
#include "host/backend/cuda/cuda_backend.hpp"

#include <cuda_runtime.h>
#include <fmt/format.h>
#include <utility>

#include "host/backend/cuda/cudnn_convolutions.hpp"
#include "host/backend/device/device_backend.hpp"

namespace impasto {
namespace {

constexpr int first_with_tensor_cores_for_bf16 = 8;  // Ampere
constexpr int first_supported = 7;                   // Turing is 7.5

/// The first device's properties; null when there is none, and why in `reason`.
const cudaDeviceProp* first_device(std::string& reason) {
  static cudaDeviceProp properties{};
  int count = 0;
  cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count == 0) status = cudaErrorNoDevice;
  if (status == cudaSuccess) status = cudaGetDeviceProperties(&properties, 0);
  if (status == cudaSuccess) return &properties;
  reason = status == cudaErrorInsufficientDriver
               ? "the NVIDIA driver is missing or older than this program's CUDA"
               : cudaGetErrorString(status);
  return nullptr;
}

}  // namespace

std::string why_no_cuda() {
  std::string reason;
  const cudaDeviceProp* gpu = first_device(reason);
  if (gpu == nullptr) return reason;
  const bool supported =
      gpu->major > first_supported || (gpu->major == first_supported && gpu->minor >= 5);
  if (supported) return {};
  return fmt::format("{} has compute capability {}.{}; 7.5 is needed", gpu->name, gpu->major,
                     gpu->minor);
}

std::vector<Precision> cuda_precisions() {
  std::string reason;
  const cudaDeviceProp* gpu = first_device(reason);
  if (gpu == nullptr) return {};
  if (gpu->major < first_with_tensor_cores_for_bf16) return {Precision::fp32};
  return {Precision::bf16, Precision::fp32, Precision::tf32, Precision::fp16};
}

std::unique_ptr<Backend> make_cuda_backend(Precision precision) {
  auto runtime = std::make_unique<cuda::Runtime>();
  auto convolutions = std::make_unique<cuda::CudnnConvolutions>(*runtime, precision);
  return cuda::make_device_backend("cuda", precision, std::move(runtime), std::move(convolutions));
}

}  // namespace impasto
