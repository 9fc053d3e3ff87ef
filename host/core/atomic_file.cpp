// SPDX-License-Identifier: MIT
#include "host/core/atomic_file.hpp"

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <random>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "host/core/error.hpp"

namespace impasto {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_to_write(const std::string& path, int reason) {
  fail(ErrorKind::output, "cannot write '{}': {}", path, std::generic_category().message(reason));
}

/// The file behind a symbolic link, so that the link stays and what it points to is replaced.
std::string resolve(std::string path) {
  std::error_code ignored;
  if (!fs::is_symlink(path, ignored)) return path;
  std::error_code dangling;
  const fs::path target = fs::canonical(path, dangling);
  return dangling ? path : target.string();
}

/// A free name in the target's folder. It keeps the extension, because libraries choose the format
/// by it, and nothing else of the target's name, which may already be as long as a name can be.
std::string temporary_name(const std::string& path) {
  const fs::path target(path);
  std::random_device random;
  const std::uint64_t tag = (std::uint64_t{random()} << 32U) | random();
  const fs::path name = fmt::format(".impasto-{:016x}{}", tag, target.extension().string());
  return (target.parent_path() / name).string();
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(resolve(std::move(path))) {
  struct stat existing {};
  const bool exists = ::stat(path_.c_str(), &existing) == 0;
  if (exists && S_ISDIR(existing.st_mode)) fail_to_write(path_, EISDIR);
  // A rename would put a file in the place of a device or a pipe.
  if (exists && !S_ISREG(existing.st_mode)) {
    fail(ErrorKind::output, "cannot write '{}': not a regular file", path_);
  }
  if (fs::path(path_).filename().empty()) fail_to_write(path_, path_.empty() ? ENOENT : EISDIR);
  do {
    temporary_ = temporary_name(path_);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && (errno == EEXIST || errno == EINTR));
  if (descriptor_ < 0) fail_to_write(path_, errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  require(descriptor_ >= 0, "'{}' is written to after it was committed", path_);
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_to_write(path_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void AtomicFile::commit() {
  require(descriptor_ >= 0, "'{}' is committed twice", path_);
  // What replaces a private file stays private. Last, so that a read-only mode does not stop a
  // library that writes by name.
  struct stat existing {};
  if (::stat(path_.c_str(), &existing) == 0) {
    static_cast<void>(::fchmod(descriptor_, existing.st_mode & 0777U));
  }
  if (::fsync(descriptor_) != 0) fail_to_write(path_, errno);
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail_to_write(path_, errno);
  ::close(std::exchange(descriptor_, -1));
  // The rename is durable once its folder is. Some shared file systems refuse to flush a folder;
  // the file is complete all the same.
  const fs::path folder = fs::path(path_).parent_path();
  const int handle =
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) return;
  static_cast<void>(::fsync(handle));
  ::close(handle);
}

}  // namespace impasto
