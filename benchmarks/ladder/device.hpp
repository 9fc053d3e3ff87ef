// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "host/backend/device/device_backend.hpp"
#include "host/backend/device/libraries.hpp"
#include "host/runtime/runtime.hpp"

namespace impasto::bench::IMPASTO_DEVICE {

/// A device backend without libraries, which a ladder's operations do not need, and its runtime.
struct Device {
  explicit Device(Precision precision) {
    auto owned = std::make_unique<impasto::IMPASTO_DEVICE::Runtime>();
    runtime = owned.get();
    backend = impasto::IMPASTO_DEVICE::make_device_backend("ladder", precision, std::move(owned),
                                                           std::make_unique<Libraries>(),
                                                           Tuning::off, PlanCache("", {}));
  }
  impasto::IMPASTO_DEVICE::Runtime* runtime;
  std::shared_ptr<Backend> backend;
};

}  // namespace impasto::bench::IMPASTO_DEVICE
