// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "host/backend/backend.hpp"

namespace impasto::test {

/// What goes wrong with a device.
enum class FaultKind : std::uint8_t {
  out_of_memory,  ///< the call fails, the next may do better
  sticky,         ///< the call fails, and every one after it
  lost,           ///< the process is gone
  hung,           ///< the call never returns
  wrong,          ///< what the call writes is no number
};

/// Which call goes wrong: the `at`-th, from 1.
struct Fault {
  FaultKind kind = FaultKind::lost;
  std::int64_t at = 0;
};

/// The calls of a device so far, and the fault that is to come.
struct Calls {
  std::int64_t count = 0;
  Fault fault = {};
  /// Called just before the fault happens.
  std::function<void()> before = {};
  bool broken = false;  ///< after a sticky fault
};

/// A backend whose memory the host can reach, with a fault among its calls. `calls` must outlive it.
std::unique_ptr<Backend> make_faulty_backend(std::unique_ptr<Backend> backend, Calls& calls);

}  // namespace impasto::test
