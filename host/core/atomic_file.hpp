// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "host/core/file_descriptor.hpp"

namespace impasto {

/// A file that appears complete or not at all: written on the target's file system, flushed to disk,
/// then renamed over the target. Until then it has no name, so that nothing is left of it however
/// the program ends. Where a library or the file system needs one, it has a temporary name, which
/// the destructor removes. Every failure throws ErrorKind::output with the path and the system's
/// reason.
class AtomicFile {
 public:
  /// What becomes of a symbolic link at the path: the file behind it is replaced, or the link.
  enum class Link : bool { follow, replace };

  /// Creates the temporary in the target's folder.
  explicit AtomicFile(std::string path, Link link = Link::follow);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// Gives the file a temporary name, for libraries that write by name.
  [[nodiscard]] const std::string& temporary_path();
  void write(std::span<const std::byte> bytes);
  /// fsync, rename, and fsync of the folder where the file system allows it. When it is the rename
  /// that fails, the complete file stays under its temporary name, which the message tells.
  void commit();

 private:
  std::string path_;       ///< as asked for
  std::string target_;     ///< the file behind it, where that is a link
  std::string temporary_;  ///< empty while the file has no name
  FileDescriptor file_;

  void open_unnamed();
  void open_named();
};

/// Writes a whole text as an AtomicFile.
void write_atomically(const std::string& path, std::string_view text);

/// Removes the temporaries of all AtomicFiles, for a signal handler that is about to end the
/// program.
void remove_temporary_files() noexcept;

/// Whether a file of this name is, or is left of, an AtomicFile's temporary.
bool is_temporary_name(std::string_view name);

/// Throws what an AtomicFile at this path would throw, as far as that can be known beforehand, so
/// that the user learns of it before hours of work. Leaves nothing behind.
void check_writable(const std::string& path);

}  // namespace impasto
