// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <optional>
#include <span>
#include <string>
#include <unistd.h>
#include <utility>

namespace impasto {

/// An open file. The destructor closes it. Converts to false if the file could not be opened; then
/// errno says why.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }

  explicit operator bool() const { return number_ >= 0; }
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_ = -1;
};

/// Opens a file for reading and never waits: a pipe opens even if nobody writes to it. A terminal
/// does not become the controlling terminal of the program.
inline FileDescriptor open_to_read(const std::string& path) {
  return FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
}

/// Why a regular file has a length of 0, in words: it is empty, or the system makes its content up
/// when it is read, as in /proc, and nobody knows the length before.
std::string why_empty(const FileDescriptor& file);

/// Reads until `bytes` is full or the file ends. Returns how many there were, or nothing where reading
/// failed; errno says why.
std::optional<std::size_t> read_all(const FileDescriptor& file, std::span<std::byte> bytes);

/// Writes all of `bytes`. Returns 0, or the system's reason (errno) where it could not.
int write_all(const FileDescriptor& file, std::span<const std::byte> bytes);

/// The same from a place in the file on, wherever the file stands, and without waiting for a pipe.
std::optional<std::size_t> read_at(const FileDescriptor& file, std::span<std::byte> bytes,
                                   std::uint64_t offset);
int write_at(const FileDescriptor& file, std::span<const std::byte> bytes, std::uint64_t offset);

/// A file without a name in a folder, to write and to read. Nothing is left of
/// it once it is closed, however the program ends. Empty where there is none; errno says why.
FileDescriptor open_nameless_file(const std::string& folder);
/// The same in the folder for temporary files.
FileDescriptor open_nameless_file();

}  // namespace impasto
