// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace impasto {

/// Text of unknown origin (a path, a name inside a file) as it may stand in one line on a terminal.
/// A '?' replaces every control character, every line separator, every character that turns the
/// direction of the text, and every byte that is not UTF-8. Of more than 4 KiB the middle is left
/// out.
std::string printable(std::string_view text);

}  // namespace impasto
