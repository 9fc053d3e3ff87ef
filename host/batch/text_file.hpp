// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "host/core/file_descriptor.hpp"

namespace impasto::batch {

/// A text of any length that is read piece by piece: a file or, for "-", standard input.
class TextFile {
 public:
  /// Throws ErrorKind::input, also for a folder.
  explicit TextFile(const std::string& path);
  /// An open file; `name` is for messages.
  TextFile(FileDescriptor file, std::string name);

  /// Whether `letter` is among the first 64 KiB.
  [[nodiscard]] bool holds_early(char letter);
  /// The text up to the next `end`, without it; nothing at the end of the file. Throws
  /// ErrorKind::input for a piece of more than 1 MiB.
  std::optional<std::string> next(char end);
  /// Where the next piece begins, in bytes from the beginning.
  [[nodiscard]] std::int64_t position() const {
    return read_ - static_cast<std::int64_t>(buffer_.size() - begin_);
  }
  /// Goes on from there. Not for a pipe.
  void go_to(std::int64_t position);
  /// The number of pieces that next() returned.
  [[nodiscard]] std::size_t line() const { return line_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  /// Whether there was more to read.
  bool read_more();

  std::string name_;
  FileDescriptor file_;
  std::string buffer_;
  std::size_t begin_ = 0;
  bool ended_ = false;
  std::int64_t read_ = 0;  ///< bytes of the file
  std::size_t line_ = 0;
};

}  // namespace impasto::batch
