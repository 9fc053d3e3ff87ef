// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/backend/registry.hpp"

namespace impasto {

/// Our CUDA kernels, cuDNN and cuBLASLt on an NVIDIA GPU.
std::unique_ptr<Backend> make_cuda_backend(Precision precision, const DeviceOptions& options);

/// Why no GPU can be used here, as a sentence; empty when one can.
std::string why_no_cuda();

/// The GPUs of this machine. Where the libraries can be loaded, their details are: gpu,
/// compute_capability, memory_bytes, driver_cuda (the CUDA that the driver is for), cuda, cudnn,
/// cublaslt.
std::vector<DeviceEntry> list_cuda_devices();

}  // namespace impasto
