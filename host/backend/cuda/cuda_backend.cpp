// SPDX-License-Identifier: MIT
#include "host/backend/cuda/cuda_backend.hpp"

#include <cuda_runtime.h>
#include <fmt/format.h>
#include <utility>

#include "host/backend/cuda/architectures.hpp"
#include "host/backend/cuda/cublaslt_library.hpp"
#include "host/backend/cuda/cuda_libraries.hpp"
#include "host/backend/cuda/cudnn_library.hpp"
#include "host/backend/device/device_backend.hpp"
#include "host/core/error.hpp"

namespace impasto {
namespace {

constexpr int first_with_tensor_cores_for_bf16 = 8;  // Ampere

/// 13000 as "13.0"
std::string cuda_version(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

/// For which CUDA the driver is; 0 when there is none.
int driver_version() {
  int version = 0;
  return cudaDriverGetVersion(&version) == cudaSuccess ? version : 0;
}

std::string no_device(cudaError_t status) {
  if (status == cudaErrorNoDevice) return "there is no NVIDIA GPU";
  if (status != cudaErrorInsufficientDriver) return cudaGetErrorString(status);
  if (driver_version() == 0) return "there is no NVIDIA driver";
  return fmt::format("the NVIDIA driver is for CUDA {}, this program needs one for CUDA {}",
                     cuda_version(driver_version()), cuda_version(CUDART_VERSION));
}

/// The first device's properties; null when there is none, and why in `reason`.
const cudaDeviceProp* first_device(std::string& reason) {
  static cudaDeviceProp properties{};
  int count = 0;
  cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count == 0) status = cudaErrorNoDevice;
  if (status == cudaSuccess) status = cudaGetDeviceProperties(&properties, 0);
  if (status == cudaSuccess) return &properties;
  reason = no_device(status);
  return nullptr;
}

}  // namespace

std::string why_no_cuda() {
  std::string reason;
  const cudaDeviceProp* gpu = first_device(reason);
  if (gpu == nullptr) return reason;
  if (!cuda::runs_on(IMPASTO_CUDA_ARCHITECTURES, {gpu->major, gpu->minor})) {
    return fmt::format("{} has compute capability {}.{}; this program was built for {}", gpu->name,
                       gpu->major, gpu->minor, cuda::spelled(IMPASTO_CUDA_ARCHITECTURES));
  }
  try {
    cuda::load_cudnn();
    cuda::cublaslt();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

std::vector<Precision> cuda_precisions() {
  std::string reason;
  const cudaDeviceProp* gpu = first_device(reason);
  if (gpu == nullptr) return {};
  if (gpu->major < first_with_tensor_cores_for_bf16) return {Precision::fp32};
  return {Precision::bf16, Precision::fp32, Precision::tf32, Precision::fp16};
}

std::map<std::string, std::string> cuda_details() {
  std::map<std::string, std::string> details = cuda::cuda_machine();
  std::string reason;
  if (const cudaDeviceProp* gpu = first_device(reason)) {
    details["memory_bytes"] = std::to_string(gpu->totalGlobalMem);
  }
  details["driver_cuda"] = cuda_version(driver_version());
  details["cuda"] = cuda_version(CUDART_VERSION);
  return details;
}

std::unique_ptr<Backend> make_cuda_backend(Precision precision, Tuning tuning) {
  auto runtime = std::make_unique<cuda::Runtime>();
  auto libraries = std::make_unique<cuda::CudaLibraries>(*runtime, precision, tuning);
  return cuda::make_device_backend("cuda", precision, std::move(runtime), std::move(libraries));
}

}  // namespace impasto
