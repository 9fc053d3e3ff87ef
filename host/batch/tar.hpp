// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/core/atomic_file.hpp"
#include "host/core/file_descriptor.hpp"

namespace impasto::batch {

/// A block before each file, as the archive has it.
struct TarHeader;

/// A file in a tar archive.
struct TarMember {
  std::string name;
  std::int64_t offset = 0;  ///< of its bytes in the archive
  std::int64_t size = 0;
};

/// Reads the files in an archive one after the other: POSIX's ustar and pax, and GNU's long names.
/// Only headers are read on the way; folders are passed over.
class TarReader {
 public:
  /// Throws ErrorKind::input.
  explicit TarReader(std::string path);

  /// The next file, or nothing at the end. Throws ErrorKind::input for what is no archive or ends
  /// early, for a sparse file, a link or a device, and for a name that is absolute or leaves its
  /// folder.
  std::optional<TarMember> next();
  void rewind() { at_ = 0; }
  /// The file of that name, by going on from where the reader is, past the end and up to there
  /// again. Quick where files are asked for almost in their order. Throws ErrorKind::input where
  /// there is none.
  TarMember find(const std::string& name);

  /// The bytes of a file in it. Throws ErrorKind::input, also for more than `most` bytes.
  [[nodiscard]] std::vector<std::byte> read(const TarMember& member, std::int64_t most) const;
  /// Visits the bytes of a file in it, some after the others. Throws ErrorKind::input.
  void for_each_block(const TarMember& member,
                      const std::function<void(std::span<const std::byte>)>& visit) const;

  [[noreturn]] void refuse(const std::string& reason) const;

 private:
  /// What stands before a file's own header where that has no room for it.
  struct Extension {
    std::string name;
    std::optional<std::int64_t> size;
  };

  [[nodiscard]] std::string bytes(std::int64_t offset, std::int64_t count) const;
  std::optional<TarHeader> next_header();
  [[nodiscard]] std::string short_text(std::int64_t size) const;
  void read_pax(const std::string& text, Extension& extension) const;
  [[nodiscard]] std::string name_of(const TarHeader& header, const Extension& extension) const;

  std::string path_;
  FileDescriptor file_;
  std::int64_t size_ = 0;
  std::int64_t at_ = 0;
  std::deque<TarMember> passed_;  ///< by find(), the last ones
};

/// Writes an archive, atomically. Names, sizes and bytes are all that is kept, so that equal files
/// make equal archives. Throws ErrorKind::output.
class TarWriter {
 public:
  explicit TarWriter(std::string path) : file_(std::move(path)) {}
  void add(const std::string& name, std::span<const std::byte> bytes);
  /// A file of another archive.
  void add(const std::string& name, const TarReader& archive, const TarMember& member);
  void commit();

 private:
  void begin(const std::string& name, std::int64_t size);
  void write_header(char type, const std::string& name, std::int64_t size);
  void fill_block(std::int64_t size);

  AtomicFile file_;
};

}  // namespace impasto::batch
