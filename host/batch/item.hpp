// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace impasto::batch {

/// Settings by name, as texts: what a manifest's row says beside its pictures.
using Options = std::map<std::string, std::vector<std::string>, std::less<>>;

/// One picture to make. Its output is its identity: no two items of a run have the same.
struct Item {
  std::string output;               ///< the file, relative to the output folder
  std::string content;              ///< a file or a sample
  std::vector<std::string> styles;  ///< averaged
  Options options = {};
};

/// The item as one line of JSON, with its line feed. A name that is not UTF-8 is kept as the
/// hexadecimal digits of its bytes.
std::string to_line(const Item& item);
/// Throws ErrorKind::input for anything but such a line.
Item item_of_line(std::string_view line);

/// The first 64 bits of the SHA-256 of a name: the same number on every machine.
std::uint64_t stable_hash(std::string_view name);

}  // namespace impasto::batch
