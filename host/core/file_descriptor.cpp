// SPDX-License-Identifier: MIT
#include "host/core/file_descriptor.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <poll.h>

namespace impasto {

std::string why_empty(const FileDescriptor& file) {
  char byte = 0;
  if (::pread(file.get(), &byte, 1, 0) != 1) return "the file is empty";
  return "its length is not known, as of files in /proc; copy it first";
}

std::optional<std::size_t> read_all(const FileDescriptor& file, std::span<std::byte> bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::read(file.get(), bytes.data() + done, bytes.size() - done);
    if (count == 0) break;
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {  // a pipe that another program has set so
      pollfd place{file.get(), POLLIN, 0};
      static_cast<void>(::poll(&place, 1, -1));
    } else if (errno != EINTR) {
      return std::nullopt;
    }
  }
  return done;
}

int write_all(const FileDescriptor& file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return 0;
}

std::optional<std::size_t> read_at(const FileDescriptor& file, std::span<std::byte> bytes,
                                   std::uint64_t offset) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::pread(file.get(), bytes.data() + done, bytes.size() - done,
                                  static_cast<off_t>(offset + done));
    if (count == 0) break;
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      return std::nullopt;
    }
  }
  return done;
}

int write_at(const FileDescriptor& file, std::span<const std::byte> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return 0;
}

FileDescriptor open_nameless_file() {
  std::error_code ignored;
  return open_nameless_file(std::filesystem::temp_directory_path(ignored).string());
}

FileDescriptor open_nameless_file(const std::string& folder) {
  FileDescriptor file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file) {  // not every file system has files without a name
    std::string name = folder + "/impasto-XXXXXX";
    file = FileDescriptor(::mkostemp(name.data(), O_CLOEXEC));
    if (file) ::unlink(name.c_str());
  }
  return file;
}

}  // namespace impasto
