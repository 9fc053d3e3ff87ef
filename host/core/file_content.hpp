// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace impasto {

/// How many first bytes of a file describe_content() looks at.
inline constexpr std::size_t described_bytes = 1024;

/// Says in words what a file is, by its first bytes, and what to do where it was given by mistake:
/// "a GIF picture; save it as PNG first". Knows the files that people give in place of a picture or
/// of weights.
std::string describe_content(std::string_view head);

}  // namespace impasto
