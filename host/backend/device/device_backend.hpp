// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "host/backend/backend.hpp"
#include "host/backend/device/libraries.hpp"
#include "host/backend/tuning/plan_cache.hpp"
#include "host/runtime/runtime.hpp"

namespace impasto::IMPASTO_DEVICE {

/// The backend that runs our CUDA kernels and the candidates of libraries. It chooses between them
/// for each problem when the problem first comes up. It is compiled once for CUDA and once for the
/// host-SIMT machine.
std::unique_ptr<Backend> make_device_backend(std::string name, Precision precision,
                                             std::unique_ptr<Runtime> runtime,
                                             std::unique_ptr<Libraries> libraries, Tuning tuning,
                                             PlanCache cache);

}  // namespace impasto::IMPASTO_DEVICE
