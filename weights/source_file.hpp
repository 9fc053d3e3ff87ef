// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "host/core/file_descriptor.hpp"

namespace impasto {

/// A file of unknown origin that weights are read from, or a part of one. Its name for messages
/// travels with it; copies share the open file. Reading beyond the end is refused, and every refusal
/// throws ErrorKind::weights and names the file.
class SourceFile {
 public:
  /// Opens a file. Throws ErrorKind::weights when it cannot be read, is not a regular file, is empty
  /// or has more than `max_bytes`.
  SourceFile(const std::string& path, std::uint64_t max_bytes);
  /// A file that is open already.
  SourceFile(std::string name, FileDescriptor file, std::uint64_t bytes);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  /// Where a part begins in the whole file.
  [[nodiscard]] std::uint64_t begin() const { return begin_; }

  /// Fills `to` with the bytes at `offset`.
  void read(std::uint64_t offset, std::span<char> to) const;
  /// The first bytes, as many as there are up to `most`.
  [[nodiscard]] std::string head(std::size_t most) const;
  /// A part of this file as a file of its own.
  [[nodiscard]] SourceFile part(std::uint64_t offset, std::uint64_t bytes) const;

  /// Throws the refusal of this file: "weights 'NAME' are refused: REASON".
  [[noreturn]] void refuse(const std::string& reason) const;

  void rename(std::string name) { name_ = std::move(name); }

 private:
  void check_range(std::uint64_t offset, std::uint64_t bytes) const;

  std::string name_;
  std::shared_ptr<const FileDescriptor> file_;
  std::uint64_t begin_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace impasto
