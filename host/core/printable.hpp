// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace impasto {

/// Makes text of unknown origin (a path, a name inside a file) safe for one line on a terminal. A
/// '?' replaces every control character, every line separator, every character that changes the
/// direction of the text, and every byte that is not UTF-8. A text longer than 4 KiB loses its
/// middle.
std::string printable(std::string_view text);

}  // namespace impasto
