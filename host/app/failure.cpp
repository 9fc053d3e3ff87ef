// SPDX-License-Identifier: MIT
#include "host/app/failure.hpp"

#include <new>
#include <string_view>

#include "host/app/terminal.hpp"
#include "host/engine/stylization.hpp"

namespace impasto::app {
namespace {

/// What helps with most failures of a kind; a HintedError knows better.
std::string_view usual_hint(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::internal:
      return "this is a defect of impasto; please report it with the command that shows it";
    case ErrorKind::backend: return "'impasto devices' lists what this machine can use";
    case ErrorKind::out_of_memory:
      return "--dry-run shows what a run needs; a smaller --size needs less";
    default: return {};
  }
}

int report(ErrorKind kind, std::string_view message, std::string_view hint) {
  print_failure(message, hint.empty() ? usual_hint(kind) : hint);
  return static_cast<int>(kind);
}

}  // namespace

void refuse_infinite_losses(std::string_view what) {
  throw HintedError(
      ErrorKind::diverged,
      fmt::format("{}: what the network makes of it is not finite; nothing was written", what),
      "smaller weights help, or --precision fp32");
}

void refuse_shortage(const MemoryEstimate& memory) {
  if (memory.shortage.empty()) return;
  throw HintedError(ErrorKind::out_of_memory, memory.shortage, "a smaller --size needs less");
}

int report_failure(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Interrupted& interrupted) {
    if (interrupted.nothing_saved) print_failure("stopped; nothing was written", {});
    return 128 + interrupted.signal;
  } catch (const Unfinished&) {
    return static_cast<int>(ErrorKind::input);
  } catch (const HintedError& error) {
    return report(error.kind(), error.what(), error.hint());
  } catch (const Error& error) {
    return report(error.kind(), error.what(), {});
  } catch (const std::bad_alloc&) {
    return report(ErrorKind::out_of_memory, out_of_memory().what(), {});
  } catch (const std::exception& error) {
    return report(ErrorKind::internal, printable(error.what()), {});
  }
}

}  // namespace impasto::app
