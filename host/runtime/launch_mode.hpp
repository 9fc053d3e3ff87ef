// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <string_view>

#include "simt/error.hpp"

namespace impasto {

/// Takes from the environment whether launches are waited for: IMPASTO_SYNC=1.
inline void read_launch_mode() {
  const char* wanted = std::getenv("IMPASTO_SYNC");
  simt::synchronous_launches = wanted != nullptr && std::string_view(wanted) == "1";
}

}  // namespace impasto
