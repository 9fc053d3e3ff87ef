// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

namespace impasto {

/// The bytes that this process can still allocate: what the system has left, swap included, or less
/// where a control group (of a container, a batch system, systemd) or RLIMIT_AS sets a limit. Empty
/// when nothing of this can be read. `root` is where /proc and /sys are, for tests.
std::optional<std::size_t> free_memory(const std::filesystem::path& root = "/");

}  // namespace impasto
