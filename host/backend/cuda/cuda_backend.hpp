// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/backend/backend.hpp"

namespace impasto {

/// Our CUDA kernels and cuDNN's convolutions on the first NVIDIA GPU.
std::unique_ptr<Backend> make_cuda_backend(Precision precision);

/// Why it cannot be used here, as a sentence; empty when it can.
std::string why_no_cuda();

/// The precisions of the GPU, its default first; none where there is no GPU.
std::vector<Precision> cuda_precisions();

}  // namespace impasto
