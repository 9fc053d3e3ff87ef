// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace impasto {

/// As many first bytes of a file as describe_content() looks at.
inline constexpr std::size_t described_bytes = 1024;

/// What a file is by its first bytes, in words, and what helps where it was given by mistake: "a
/// GIF picture; save it as PNG first". Knows what people give in place of a picture or of weights.
std::string describe_content(std::string_view head);

}  // namespace impasto
