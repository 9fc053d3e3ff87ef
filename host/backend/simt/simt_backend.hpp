// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "host/backend/registry.hpp"

namespace impasto {

/// The CUDA kernels on the host-SIMT machine, for checking them and the host code around them
/// without a GPU; convolutions come from the cpu backend. Every precision, thousands of times
/// slower than a GPU.
std::unique_ptr<Backend> make_simt_backend(Precision precision, const DeviceOptions& options);

/// Each has memory of its own, so that host code for several GPUs can be tested.
std::vector<DeviceEntry> list_simt_devices();

}  // namespace impasto
