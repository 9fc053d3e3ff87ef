// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace impasto {

/// SHA-256 as 64 lower-case hexadecimal digits.
std::string sha256(std::span<const std::byte> bytes);

/// Of a file, read in pieces. Throws ErrorKind::input with the system's reason.
std::string sha256_file(const std::string& path);

}  // namespace impasto
