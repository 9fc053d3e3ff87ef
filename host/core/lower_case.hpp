// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace impasto {

/// The text with ASCII's capitals as small letters, in any locale.
inline std::string lower_case(std::string_view text) {
  std::string result(text);
  for (char& letter : result) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return result;
}

/// The extension of a file's name in small letters, with its dot; empty where it has none.
inline std::string extension_of(const std::filesystem::path& path) {
  return lower_case(path.extension().string());
}

}  // namespace impasto
