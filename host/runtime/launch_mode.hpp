// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <string_view>

#include "simt/error.hpp"

namespace impasto {

/// With IMPASTO_SYNC=1 in the environment the host waits for every launch.
inline void read_launch_mode() {
  const char* wanted = std::getenv("IMPASTO_SYNC");
  simt::synchronous_launches = wanted != nullptr && std::string_view(wanted) == "1";
}

}  // namespace impasto
