// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "host/backend/device.hpp"
#include "host/backend/ops.hpp"

namespace impasto {

/// A device and the operations that run on it.
class Backend : public Device, public Ops {
 public:
  [[nodiscard]] virtual std::string name() const = 0;
};

}  // namespace impasto
