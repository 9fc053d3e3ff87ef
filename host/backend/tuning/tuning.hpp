// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace impasto {

/// How a backend chooses where a problem can be solved in several ways.
enum class Tuning : std::uint8_t {
  off,     ///< the library's first way; nothing is timed, nothing read or written
  cached,  ///< what the plan cache says; what it does not know is timed, and kept there
  anew,    ///< everything is timed, and kept there
};

}  // namespace impasto
