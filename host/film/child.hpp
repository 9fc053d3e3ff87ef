// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

#include "host/core/file_descriptor.hpp"

namespace impasto::film {

/// A program that runs beside this one, whose standard output can be read. It reads nothing from the
/// terminal, and what it says of its failures is kept for the message. The destructor ends it.
class Child {
 public:
  /// Looks for the program as a shell does. Throws ErrorKind::backend where it is not there, with what to
  /// install.
  explicit Child(std::vector<std::string> command);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  /// Fills `bytes`; fewer where the output has ended. Waits.
  std::size_t read(std::span<std::byte> bytes);
  /// All of the output, up to `most` bytes.
  std::string read_text(std::size_t most);
  /// Waits for its end. Whether it succeeded.
  bool finish();
  /// The last line that it said of its failure; where it said nothing, how it ended.
  [[nodiscard]] std::string complaint() const;

 private:
  std::string name_;
  FileDescriptor output_;
  FileDescriptor errors_;
  pid_t process_ = 0;  ///< 0: it has ended
  int status_ = 0;     ///< how, as waitpid says it
};

}  // namespace impasto::film
