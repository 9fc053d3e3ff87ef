// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace impasto {

/// describe_content() looks at this many bytes from the beginning of a file.
inline constexpr std::size_t described_bytes = 1024;

/// Says what a file is, by its first bytes, and what to do if somebody gave it by mistake: "a GIF
/// picture; save it as PNG first: ...". Knows the files that people give instead of a picture or of
/// weights.
std::string describe_content(std::string_view head);

}  // namespace impasto
