// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "host/core/error.hpp"

namespace impasto {
struct MemoryEstimate;
}  // namespace impasto

namespace impasto::app {

/// An Error with a second line for the user: what to do about it.
class HintedError : public Error {
 public:
  HintedError(ErrorKind kind, const std::string& message, std::string hint)
      : Error(kind, message), hint_(std::move(hint)) {}

  [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

 private:
  std::string hint_;
};

/// Throws ErrorKind::diverged for losses that were infinite or no numbers before any step was
/// taken.
[[noreturn]] void refuse_infinite_losses(std::string_view what);

/// Ends --dry-run as the run would end: throws ErrorKind::out_of_memory for what does not fit.
void refuse_shortage(const MemoryEstimate& memory);

/// Thrown to end the program as a signal asked. With `nothing_saved` the user is told so.
struct Interrupted {
  int signal = 0;
  bool nothing_saved = false;
};

/// Thrown to end the program with 3 when it has said by itself what is missing.
struct Unfinished {};

/// Tells the user about the exception on stderr and returns the program's exit code for it. The one
/// place where exceptions become words and numbers.
int report_failure(const std::exception_ptr& failure);

}  // namespace impasto::app
