// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace simt {

/// A place in the source. As a default argument, `Site::here()` is where the function is called.
struct Site {
  const char* file = nullptr;
  int line = 0;

  static constexpr Site here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

/// The number of a place, small enough to be kept for every byte of memory.
using SiteId = std::uint32_t;

SiteId site_id(const Site& site);
/// The place of an instruction in this program. to_string() looks up its file and line.
SiteId site_id(const void* instruction);

/// The call instruction that returns to `return_address`.
inline const void* caller(const void* return_address) {
  return static_cast<const char*>(return_address) - 1;
}

/// "gram.cuh:42". The place of an instruction needs -g and addr2line; without them it is the
/// program and the offset in it.
std::string to_string(SiteId site);
std::string to_string(const Site& site);

}  // namespace simt
