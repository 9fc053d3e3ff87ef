// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "host/engine/stylization.hpp"

namespace impasto {

/// Writes a checkpoint, atomically. `identity` says what it belongs to: pictures, settings, network,
/// arithmetic. Throws ErrorKind::output.
void save_checkpoint(const std::string& path, const Checkpoint& checkpoint,
                     std::string_view identity);

/// Reads one. Throws ErrorKind::input for a file that is none, is damaged, or belongs to another
/// identity.
Checkpoint load_checkpoint(const std::string& path, const Objective& objective,
                           std::string_view identity);

}  // namespace impasto
