// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/backend/tuning/tuning.hpp"

namespace impasto {

/// Our CUDA kernels, cuDNN and cuBLASLt on the first NVIDIA GPU.
std::unique_ptr<Backend> make_cuda_backend(Precision precision, Tuning tuning);

/// Why it cannot be used here, as a sentence; empty when it can.
std::string why_no_cuda();

/// The precisions of the GPU, its default first; none where there is no GPU.
std::vector<Precision> cuda_precisions();

/// The GPU, its driver and the libraries, where the backend can be used: gpu, compute_capability,
/// memory_bytes, driver_cuda (the CUDA that the driver is for), cuda, cudnn, cublaslt.
std::map<std::string, std::string> cuda_details();

}  // namespace impasto
