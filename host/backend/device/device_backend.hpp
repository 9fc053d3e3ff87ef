// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "host/backend/backend.hpp"
#include "host/backend/device/libraries.hpp"
#include "host/runtime/runtime.hpp"

namespace impasto::IMPASTO_DEVICE {

/// The backend whose operations are our CUDA kernels, except for what libraries do. It is compiled
/// once for CUDA and once for the host-SIMT machine.
std::unique_ptr<Backend> make_device_backend(std::string name, Precision precision,
                                             std::unique_ptr<Runtime> runtime,
                                             std::unique_ptr<Libraries> libraries);

}  // namespace impasto::IMPASTO_DEVICE
