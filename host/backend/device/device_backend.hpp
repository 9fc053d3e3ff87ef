// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "host/backend/backend.hpp"
#include "host/backend/device/libraries.hpp"
#include "host/backend/tuning/plan_cache.hpp"
#include "host/runtime/runtime.hpp"

namespace impasto::IMPASTO_DEVICE {

/// The backend whose operations are our CUDA kernels and what libraries have beside them. It
/// chooses between the two, for each problem when it first meets it. It is compiled once for CUDA
/// and once for the host-SIMT machine.
std::unique_ptr<Backend> make_device_backend(std::string name, Precision precision,
                                             std::unique_ptr<Runtime> runtime,
                                             std::unique_ptr<Libraries> libraries, Tuning tuning,
                                             PlanCache cache);

}  // namespace impasto::IMPASTO_DEVICE
