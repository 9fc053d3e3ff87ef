// SPDX-License-Identifier: MIT
#pragma once

#include "host/engine/plan.hpp"

namespace impasto {

/// Throws ErrorKind::out_of_memory when the backend says that it has less room than the plan needs:
/// how much is missing, and the largest size that would fit.
void require_room(const Backend& backend, const Config& config, const Plan& plan);

}  // namespace impasto
