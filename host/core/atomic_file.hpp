// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "host/core/file_descriptor.hpp"

namespace impasto {

/// A file that appears complete or not at all: written under a temporary name beside the target,
/// flushed to disk, then renamed over it. Without commit() the destructor removes the temporary.
/// Every failure throws ErrorKind::output with the path and the system's reason.
class AtomicFile {
 public:
  /// Creates the temporary (exclusively) in the target's folder.
  explicit AtomicFile(std::string path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// For libraries that write by name.
  [[nodiscard]] const std::string& temporary_path() const { return temporary_; }
  void write(std::span<const std::byte> bytes);
  /// fsync, rename, and fsync of the folder where the file system allows it. When it is the rename
  /// that fails, the complete file stays under its temporary name, which the message tells.
  void commit();

 private:
  std::string path_;    ///< as asked for
  std::string target_;  ///< the file behind it, where that is a link
  std::string temporary_;
  FileDescriptor file_;
};

/// Removes the temporaries of all AtomicFiles, for a signal handler that is about to end the
/// program.
void remove_temporary_files() noexcept;

/// Throws what an AtomicFile at this path would throw, as far as that can be known beforehand, so
/// that the user learns of it before hours of work. Leaves nothing behind.
void check_writable(const std::string& path);

}  // namespace impasto
