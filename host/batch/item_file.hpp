// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/batch/item.hpp"
#include "host/batch/text_file.hpp"
#include "host/core/digest.hpp"
#include "host/core/file_descriptor.hpp"

namespace impasto::batch {

/// The items of a list, one after the other.
class ItemReader {
 public:
  explicit ItemReader(const std::string& path) : text_(path) {}
  ItemReader(FileDescriptor file, std::string name) : text_(std::move(file), std::move(name)) {}
  std::optional<Item> next();
  /// Where the next item begins in the file.
  [[nodiscard]] std::int64_t position() const { return text_.position(); }
  void go_to(std::int64_t position) { text_.go_to(position); }

 private:
  TextFile text_;
};

/// A list of items on its way to a run directory: a file without a name, which goes with the
/// object.
class ItemFile {
 public:
  /// The files that an item will write.
  using Writes = std::function<std::vector<std::string>(const Item&)>;
  /// Throws ErrorKind::output.
  explicit ItemFile(Writes writes);
  void add(const Item& item);
  /// Call it once, last. Throws ErrorKind::usage where two items write one file.
  void finish();

  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] const std::string& sha256() const { return sha256_; }
  [[nodiscard]] ItemReader read() const;
  /// Writes the list under a name, atomically.
  void save(const std::string& path) const;

 private:
  void flush();
  void refuse_clashes();

  Writes writes_;
  FileDescriptor file_;
  std::string buffer_;
  std::int64_t count_ = 0;
  std::vector<std::uint64_t> hashes_;  ///< of the names of the files to write
  Digest digest_{DigestKind::sha256};
  std::string sha256_;
};

}  // namespace impasto::batch
