// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "weights/source_file.hpp"

namespace impasto {

/// A zip archive of unknown origin: PyTorch's and Keras 3's files, wheels, and what people pack.
/// Every offset and size is checked against the file before it is used. Entries that overlap, two
/// of one name, encrypted ones, archives in several parts and methods other than "stored" and
/// "deflated" are refused. Every refusal throws ErrorKind::weights.
class ZipFile {
 public:
  struct Entry {
    std::string name;
    bool deflated;
    std::uint64_t begin;   ///< of its local header
    std::uint64_t stored;  ///< bytes in the archive
    std::uint64_t bytes;   ///< unpacked
    std::uint32_t crc;
  };

  explicit ZipFile(SourceFile file);

  /// In the order of the archive's directory.
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  /// The entry of that name, or nullptr.
  [[nodiscard]] const Entry* find(std::string_view name) const;

  /// An entry as a file of its own, called "ARCHIVE/NAME". A stored entry is a part of the archive,
  /// without a look at its checksum, which not every writer sets. A deflated one is unpacked into a
  /// temporary file without a name, in constant memory; its size and checksum must be as declared.
  /// Refuses entries of more than `max_bytes`, and deflated ones that grow a hundredfold.
  [[nodiscard]] SourceFile open(const Entry& entry, std::uint64_t max_bytes) const;

 private:
  void read_directory();
  void check_ranges(std::uint64_t directory) const;

  SourceFile file_;
  std::vector<Entry> entries_;
  std::map<std::string, std::size_t, std::less<>> by_name_;  ///< places in entries_
};

}  // namespace impasto
