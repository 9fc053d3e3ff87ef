// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace impasto {

/// Makes text of unknown origin (a path, a name inside a file) safe for one line on a terminal. A
/// '?' replaces every control character, every line separator, every character that changes the
/// direction of the text, and every byte that is not UTF-8. A text longer than 4 KiB loses its
/// middle.
std::string printable(std::string_view text);

/// Numbers in words: four digits of each, and more where not all that differ would differ so.
std::vector<std::string> told_apart(std::span<const double> numbers);

}  // namespace impasto
