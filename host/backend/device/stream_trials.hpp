// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "host/backend/tuning/trials.hpp"
#include "host/runtime/runtime.hpp"

namespace impasto::IMPASTO_DEVICE {

/// Times candidates on the runtime's stream the way an iteration runs them: recorded, a few in a
/// row, and replayed between two events, so that what the host takes to enqueue them does not
/// count. One that cannot be recorded has failed.
/// Throws ErrorKind::backend when the device is lost.
std::vector<double> time_on_stream(Runtime& runtime, std::span<const Trial> trials,
                                   const TrialLimits& limits = {});

}  // namespace impasto::IMPASTO_DEVICE
