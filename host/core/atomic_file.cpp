// SPDX-License-Identifier: MIT
#include "host/core/atomic_file.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <random>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "host/core/error.hpp"
#include "host/core/paths.hpp"

namespace impasto {
namespace {

namespace fs = std::filesystem;

/// The file behind a symbolic link, there or not, so that the link stays and what it points to is
/// replaced.
std::string resolve(const std::string& path) {
  constexpr int most_links = 40;  // as Linux has it
  std::error_code error;
  fs::path place = path;
  for (int i = 0; fs::is_symlink(fs::symlink_status(place, error)); ++i) {
    if (i == most_links) fail_to_write(path, ELOOP);
    const fs::path target = fs::read_symlink(place, error);
    if (error) fail_to_write(path, error.value());
    place = target.is_absolute() ? target : place.parent_path() / target;
  }
  return place.string();
}

std::string folder_of(const std::string& path) {
  const fs::path name(path);
  return name.has_parent_path() ? name.parent_path().string() : ".";
}

std::string path_in_proc(const FileDescriptor& file) {
  return fmt::format("/proc/self/fd/{}", file.get());
}

/// What stands at the path now; nothing where there is no file yet.
std::optional<struct statx> look_at(const std::string& path) {
  struct statx found {};
  const int result = ::statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS, &found);
  return result == 0 ? std::optional(found) : std::nullopt;
}

/// `target` is the file behind `path`, which is how messages call it.
void refuse_other_than_file(const std::string& path, const std::string& target) {
  const auto existing = look_at(target);
  if (existing && S_ISDIR(existing->stx_mode)) fail_to_write(path, EISDIR);
  // A rename would put a file in the place of a device or a pipe.
  if (existing && !S_ISREG(existing->stx_mode)) {
    fail(ErrorKind::output, "cannot write '{}': not a regular file", path);
  }
  if (fs::path(target).filename().empty()) fail_to_write(path, path.empty() ? ENOENT : EISDIR);
}

/// Why the system would not let a file take the place of this one, or 0.
int reason_against_replacing(const struct statx& existing, const struct statx& folder) {
  constexpr std::uint64_t fixed = STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND;
  if ((folder.stx_attributes & fixed) != 0 || (existing.stx_attributes & fixed) != 0) return EPERM;
  if ((existing.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0) return EBUSY;
  // In a sticky folder, such as /tmp, only their owners replace files.
  const uid_t user = ::geteuid();
  const bool sticky = (folder.stx_mode & S_ISVTX) != 0;
  const bool owner = user == 0 || user == existing.stx_uid || user == folder.stx_uid;
  return sticky && !owner ? EPERM : 0;
}

/// The names of the temporaries that there are, where a signal handler can read them. A program
/// that writes more files at once than this leaves some behind when it is stopped.
struct KnownTemporary {
  std::atomic<bool> used{false};
  std::atomic<bool> complete{false};  ///< whether all of the name is there
  std::array<char, 4096> name{};
};
std::array<KnownTemporary, 16> known_temporaries;

void remember(const std::string& path) {
  for (KnownTemporary& known : known_temporaries) {
    if (path.size() >= known.name.size() || known.used.exchange(true)) continue;
    std::copy(path.c_str(), path.c_str() + path.size() + 1, known.name.begin());
    known.complete = true;
    return;
  }
}

void forget(const std::string& path) {
  for (KnownTemporary& known : known_temporaries) {
    if (!known.complete || path != known.name.data()) continue;
    known.complete = false;
    known.used = false;
  }
}

constexpr std::string_view temporary_prefix = ".impasto-";
constexpr std::size_t temporary_digits = 16;

/// A free name in the target's folder, with the target's extension and nothing else of its name,
/// which may already be as long as a name can be.
std::string temporary_name(const std::string& path) {
  const fs::path target(path);
  std::random_device random;
  const std::uint64_t tag = (std::uint64_t{random()} << 32U) | random();
  const fs::path name = fmt::format("{}{:0{}x}{}", temporary_prefix, tag, temporary_digits,
                                    target.extension().string());
  return (target.parent_path() / name).string();
}

}  // namespace

AtomicFile::AtomicFile(std::string path, Link link)
    : path_(std::move(path)), target_(link == Link::follow ? resolve(path_) : path_) {
  if (link == Link::follow) refuse_other_than_file(path_, target_);
  open_unnamed();
  if (!file_) open_named();
  if (!file_) fail_to_write(path_, errno);
}

/// Leaves `file_` empty where the file system has no files without a name, or where they could not
/// get one later: that goes through /proc.
void AtomicFile::open_unnamed() {
  file_ =
      FileDescriptor(::open(folder_of(target_).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666));
  if (file_ && ::access(path_in_proc(file_).c_str(), F_OK) != 0) file_ = {};
}

void AtomicFile::open_named() {
  do {
    temporary_ = temporary_name(target_);
    remember(temporary_);
    file_ =
        FileDescriptor(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!file_) forget(temporary_);
  } while (!file_ && (errno == EEXIST || errno == EINTR));
}

const std::string& AtomicFile::temporary_path() {
  if (!temporary_.empty()) return temporary_;
  const std::string name = temporary_name(target_);
  remember(name);
  if (::linkat(AT_FDCWD, path_in_proc(file_).c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) !=
      0) {
    const int reason = errno;
    forget(name);
    fail_to_write(path_, reason);
  }
  return temporary_ = name;
}

AtomicFile::~AtomicFile() {
  if (!file_ || temporary_.empty()) return;
  ::unlink(temporary_.c_str());
  forget(temporary_);
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  require(static_cast<bool>(file_), "'{}' is written to after it was committed", path_);
  if (const int reason = write_all(file_, bytes)) fail_to_write(path_, reason);
}

void AtomicFile::commit() {
  require(static_cast<bool>(file_), "'{}' is committed twice", path_);
  // What replaces a private file stays private. Last, so that a read-only mode does not stop a
  // library that writes by name.
  struct stat existing {};
  if (::stat(target_.c_str(), &existing) == 0) {
    static_cast<void>(::fchmod(file_.get(), existing.st_mode & 0777U));
  }
  int flushed = 0;
  do {
    flushed = ::fsync(file_.get());
  } while (flushed != 0 && errno == EINTR);
  // Some file systems have no such call; that is no failure to write.
  if (flushed != 0 && errno != EINVAL && errno != ENOTSUP) fail_to_write(path_, errno);
  if (std::rename(temporary_path().c_str(), target_.c_str()) != 0) {
    const int reason = errno;
    file_ = {};
    forget(temporary_);
    fail(ErrorKind::output, "cannot write '{}': {}; it is complete as '{}'", path_,
         std::generic_category().message(reason), temporary_);
  }
  file_ = {};
  forget(temporary_);
  // The rename is durable once its folder is. Some shared file systems refuse to flush a folder;
  // the file is complete all the same.
  const FileDescriptor handle(
      ::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle) static_cast<void>(::fsync(handle.get()));
}

void remove_temporary_files() noexcept {
  for (const KnownTemporary& known : known_temporaries) {
    if (known.complete) ::unlink(known.name.data());
  }
}

bool is_temporary_name(std::string_view name) {
  if (!name.starts_with(temporary_prefix)) return false;
  name.remove_prefix(temporary_prefix.size());
  const std::size_t digits = std::min(name.find_first_not_of("0123456789abcdef"), name.size());
  return digits == temporary_digits && (name.size() == digits || name[digits] == '.');
}

void write_atomically(const std::string& path, std::string_view text) {
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

void check_writable(const std::string& path) {
  const std::string target = resolve(path);
  refuse_other_than_file(path, target);
  const fs::path name(target);
  const std::string folder = folder_of(target);
  const auto existing = look_at(target);
  const auto around = look_at(folder);
  if (!around) fail(ErrorKind::output, "cannot write '{}': there is no folder '{}'", path, folder);
  const long longest = ::pathconf(folder.c_str(), _PC_NAME_MAX);
  if (longest > 0 && name.filename().string().size() > static_cast<std::size_t>(longest)) {
    fail_to_write(path, ENAMETOOLONG);
  }
  if (existing) {
    if ((existing->stx_mode & 0222U) == 0) {
      fail(ErrorKind::output, "cannot write '{}': the file there is write-protected", path);
    }
    if (const int reason = reason_against_replacing(*existing, *around); reason != 0) {
      fail_to_write(path, reason);
    }
  }
  const AtomicFile attempt(path);
}

}  // namespace impasto
