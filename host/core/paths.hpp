// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

namespace impasto {

/// Whether there is something of this name. A link is, wherever it leads.
bool is_there(const std::filesystem::path& path);

/// Makes a folder, and those that it is in, where they are missing. Throws ErrorKind::output.
void make_folder(const std::filesystem::path& folder);

/// Throw ErrorKind::input and ErrorKind::output, for a reason of the system's (errno).
[[noreturn]] void fail_to_read(const std::string& path, int reason);
[[noreturn]] void fail_to_write(const std::string& path, int reason);

}  // namespace impasto
