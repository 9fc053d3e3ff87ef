// SPDX-License-Identifier: MIT
// In place of the CUDA backend where it is not built.
#include "host/backend/cuda/cuda_backend.hpp"
#include "host/core/error.hpp"

namespace impasto {

std::unique_ptr<Backend> make_cuda_backend(Precision /*precision*/,
                                           const DeviceOptions& /*options*/) {
  fail(ErrorKind::backend, "the cuda backend is not available: {}", why_no_cuda());
}

std::string why_no_cuda() {
  return "this program was built without it (preset cuda, nvcc, cuDNN 9)";
}

std::vector<DeviceEntry> list_cuda_devices() { return {}; }

}  // namespace impasto
