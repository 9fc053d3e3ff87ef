// SPDX-License-Identifier: MIT
#include "host/backend/cuda/cuda_backend.hpp"

#include <cuda_runtime.h>
#include <fmt/format.h>
#include <utility>

#include "host/backend/cuda/candidates.hpp"
#include "host/backend/cuda/cublaslt.hpp"
#include "host/backend/cuda/cudnn.hpp"
#include "host/backend/cuda/loading.hpp"
#include "host/backend/device/device_backend.hpp"
#include "host/core/error.hpp"

namespace impasto {
namespace {

constexpr int first_with_tensor_cores_for_bf16 = 8;  // Ampere

/// 13000 as "13.0"
std::string cuda_version(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

/// The CUDA version that the driver supports; 0 when there is no driver.
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

/// The properties of every GPU. Empty when there is none, and why in `reason`.
std::vector<cudaDeviceProp> list_gpus(std::string& reason) {
  int count = 0;
  cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count == 0) status = cudaErrorNoDevice;
  std::vector<cudaDeviceProp> gpus;
  for (int index = 0; status == cudaSuccess && index < count; ++index) {
    status = cudaGetDeviceProperties(&gpus.emplace_back(), index);
  }
  if (status == cudaSuccess) return gpus;
  reason = no_device(status);
  return {};
}

/// Why this build has no kernels for a GPU; empty when it has.
std::string why_not_on(const cudaDeviceProp& gpu) {
  if (cuda::runs_on(IMPASTO_CUDA_ARCHITECTURES, {gpu.major, gpu.minor})) return {};
  return fmt::format("{} has compute capability {}.{}; this program was built for {}", gpu.name,
                     gpu.major, gpu.minor, cuda::spelled(IMPASTO_CUDA_ARCHITECTURES));
}

/// Why NVIDIA's libraries cannot be loaded; empty when they can.
std::string why_no_libraries() {
  try {
    cuda::load_cudnn();
    cuda::cublaslt();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

std::vector<Precision> precisions_of(const cudaDeviceProp& gpu) {
  if (gpu.major < first_with_tensor_cores_for_bf16) return {Precision::fp32};
  return {Precision::bf16, Precision::fp32, Precision::tf32, Precision::fp16};
}

/// What choices depend on besides their problem: the GPU, its driver and the libraries.
Machine machine_of(const cudaDeviceProp& gpu) {
  return {{"gpu", gpu.name},
          {"compute_capability", fmt::format("{}.{}", gpu.major, gpu.minor)},
          {"driver_cuda", cuda_version(driver_version())},
          {"cudnn", cuda::cudnn_version()},
          {"cublaslt", cuda::cublaslt_version()}};
}

std::map<std::string, std::string> details_of(const cudaDeviceProp& gpu) {
  std::map<std::string, std::string> details = machine_of(gpu);
  details["memory_bytes"] = std::to_string(gpu.totalGlobalMem);
  details["cuda"] = cuda_version(CUDART_VERSION);
  details["cudnn_file"] = cuda::cudnn_file();
  details["cublaslt_file"] = cuda::cublaslt_file();
  return details;
}

/// cuDNN's convolutions and cuBLASLt's and cuDNN's products, beside two of our kernels.
class CudaLibraries final : public Libraries {
 public:
  /// The runtime must outlive the object, and the object its candidates.
  CudaLibraries(cuda::Runtime& runtime, Precision precision)
      : runtime_(runtime),
        precision_(precision),
        cudnn_(cuda::open_cudnn(runtime.stream())),
        cublaslt_(cuda::open_cublaslt()) {}

  std::string names() const override {
    return fmt::format("CUDA {}, cuDNN {}, cuBLASLt {}", cuda_version(CUDART_VERSION),
                       cuda::cudnn_version(), cuda::cublaslt_version());
  }
  std::unique_ptr<DeviceConv> make_conv(const ConvParameters& parameters) override {
    return cuda::make_cudnn_conv(runtime_, precision_, parameters);
  }
  std::unique_ptr<Candidates<ConvCall>> candidates(const ConvCall& call) override {
    return cuda::conv_candidates(runtime_, cudnn_.get(), call);
  }
  std::unique_ptr<Candidates<StyleBackwardCall>> candidates(
      const StyleBackwardCall& call) override {
    return cuda::style_backward_candidates(runtime_, {cublaslt_.get(), cudnn_.get()}, call);
  }

 private:
  cuda::Runtime& runtime_;
  Precision precision_;
  std::shared_ptr<cudnnContext> cudnn_;
  std::shared_ptr<cublasLtContext> cublaslt_;
};

}  // namespace

std::string why_no_cuda() {
  std::string reason;
  const std::vector<cudaDeviceProp> gpus = list_gpus(reason);
  for (const cudaDeviceProp& gpu : gpus) {
    reason = why_not_on(gpu);
    if (reason.empty()) return why_no_libraries();
  }
  return reason;
}

std::vector<DeviceEntry> list_cuda_devices() {
  std::string reason;
  std::vector<DeviceEntry> entries;
  const std::vector<cudaDeviceProp> gpus = list_gpus(reason);
  const bool libraries = !gpus.empty() && why_no_libraries().empty();
  for (const cudaDeviceProp& gpu : gpus) {
    entries.push_back({static_cast<int>(entries.size()), why_not_on(gpu), precisions_of(gpu),
                       libraries ? details_of(gpu) : decltype(details_of(gpu))()});
  }
  return entries;
}

std::unique_ptr<Backend> make_cuda_backend(Precision precision, const DeviceOptions& options) {
  auto runtime = std::make_unique<cuda::Runtime>(options.index.value_or(0));
  auto libraries = std::make_unique<CudaLibraries>(*runtime, precision);
  std::string reason;
  const std::vector<cudaDeviceProp> gpus = list_gpus(reason);
  const cudaDeviceProp& gpu = gpus.at(static_cast<std::size_t>(runtime->index()));
  // Without tuning, the cache file is not even read.
  const std::string folder = options.tuning == Tuning::off ? "" : cache_folder();
  return cuda::make_device_backend("cuda", precision, std::move(runtime), std::move(libraries),
                                   options.tuning, PlanCache(folder, machine_of(gpu)));
}

}  // namespace impasto
