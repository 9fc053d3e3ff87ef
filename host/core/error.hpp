// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "host/core/printable.hpp"

namespace impasto {

/// What went wrong, in the terms a caller acts on. The values are the program's exit codes.
enum class ErrorKind : int {
  internal = 1,        ///< a defect of ours
  usage = 2,           ///< the request makes no sense
  input = 3,           ///< an input cannot be read
  weights = 4,         ///< a weight file is refused
  backend = 5,         ///< a backend or device is not available
  output = 6,          ///< an output cannot be written
  diverged = 7,        ///< the optimisation produced NaN or Inf
  check_failed = 8,    ///< a comparison is outside its limit
  out_of_memory = 75,  ///< the host or the device has too little memory for the request
};

/// The one exception of the library. The message names the thing at fault (a file, a layer, an
/// option), what was expected of it and what was found, in one printable line (printable.hpp).
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message)
      : std::runtime_error(printable(message)), kind_(kind) {}

  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

/// What a std::bad_alloc becomes.
inline Error out_of_memory() { return {ErrorKind::out_of_memory, "not enough memory"}; }

/// Throws an Error with a formatted message.
template <class... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

/// Throws an internal Error when a condition that our own code must ensure does not hold.
template <class... Args>
void require(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) fail(ErrorKind::internal, format, std::forward<Args>(args)...);
}

}  // namespace impasto
