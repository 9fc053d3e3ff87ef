// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace impasto {

/// Of the parameters that Simonyan and Zisserman trained, in whichever file.
inline constexpr std::string_view vgg_licence = "CC BY 4.0, Karen Simonyan and Andrew Zisserman";

/// A published file of weights.
struct KnownFile {
  std::string_view name;
  std::string_view publisher;
  std::string_view licence;  ///< of the weights, as their authors state it
  /// All 64 digits, or the first 8, which are all that PyTorch's habit of naming files tells; empty
  /// where only the MD5 was published.
  std::string_view sha256;
  std::string_view md5;  ///< empty where it is not known

  // Of a file that `impasto weights get` fetches; else empty.
  std::string_view id = {};   ///< what it is called there: "vgg19"
  std::string_view url = {};  ///< empty for a Python package: pip knows where it is
  std::uint64_t bytes = 0;    ///< 0 where nobody published it
  std::string_view network = {};
};

/// All of them. Those that can be fetched come in the order in which the program prefers them.
std::span<const KnownFile> known_files();

/// The published file with these hashes (lower-case hexadecimal), or nullptr. SHA-256 decides where
/// it is known; a file that has only the right MD5 may have been made to have it.
const KnownFile* find_known_file(std::string_view sha256, std::string_view md5);

}  // namespace impasto
