// SPDX-License-Identifier: MIT
// Loaded into a program by LD_PRELOAD: counts the calls that open, write, flush, rename or remove
// something under a path, and has one of them fail, or ends the process in its place.
//   FAULT_UNDER  the path
//   FAULT_IN     the processes: those with this as their first argument
//   FAULT_AT     which call, from 1; 0 only counts
//   FAULT_KIND   KILL, CRASH, HANG or an errno
//   FAULT_ONCE   a file that is made then: where it is there, nothing fails any more
//   FAULT_COUNT  a file that gets the number of calls at the end

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

std::atomic<long> calls{0};

const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

/// Whether this process is one of those that are to fail.
bool is_meant() {
  static const bool meant = [] {
    std::array<char, 4096> words{};
    std::FILE* file = std::fopen("/proc/self/cmdline", "r");
    if (file == nullptr) return false;
    const std::size_t size = std::fread(words.data(), 1, words.size() - 1, file);
    std::fclose(file);
    const std::string_view all(words.data(), size);
    const std::size_t first = std::min(all.find('\0'), size - 1) + 1;
    return all.substr(first, all.find('\0', first) - first) == variable("FAULT_IN");
  }();
  return meant;
}

bool is_inside(std::string_view path) {
  const std::string_view folder = variable("FAULT_UNDER");
  return !folder.empty() && path.substr(0, folder.size()) == folder && is_meant();
}

bool is_inside(int descriptor) {
  std::array<char, 4096> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t size = ::readlink(link.c_str(), path.data(), path.size() - 1);
  return size > 0 && is_inside(std::string_view(path.data(), static_cast<std::size_t>(size)));
}

/// Whether this call is to fail; errno says how then.
template <class Where>
bool fails(Where where) {
  const int before = errno;
  if (!is_inside(where) || ++calls != std::atol(variable("FAULT_AT"))) {
    errno = before;
    return false;
  }
  const char* once = variable("FAULT_ONCE");
  if (*once != '\0') {
    const int made =
        static_cast<int>(::syscall(SYS_openat, AT_FDCWD, once, O_CREAT | O_EXCL | O_WRONLY, 0666));
    if (made < 0) {
      errno = before;
      return false;
    }
    ::close(made);
  }
  const std::string_view kind = variable("FAULT_KIND");
  if (kind == "KILL") ::raise(SIGKILL);
  if (kind == "CRASH") ::raise(SIGSEGV);
  while (kind == "HANG") ::pause();
  errno = kind == "ENOSPC" ? ENOSPC : kind == "EMFILE" ? EMFILE : kind == "EACCES" ? EACCES : EIO;
  return true;
}

struct Count {
  ~Count() {
    const std::string path = variable("FAULT_COUNT");
    if (path.empty() || !is_meant()) return;
    if (std::FILE* file = std::fopen(path.c_str(), "w")) {
      std::fprintf(file, "%ld\n", calls.load());
      std::fclose(file);
    }
  }
} count;

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if (fails(std::string_view(path))) return -1;
  return next<int (*)(const char*, int, ...)>("open")(path, flags, mode);
}

ssize_t write(int descriptor, const void* data, std::size_t size) {
  if (fails(descriptor)) return -1;
  return next<ssize_t (*)(int, const void*, std::size_t)>("write")(descriptor, data, size);
}

int fsync(int descriptor) {
  if (fails(descriptor)) return -1;
  return next<int (*)(int)>("fsync")(descriptor);
}

int rename(const char* from, const char* to) {
  if (fails(std::string_view(to))) return -1;
  return next<int (*)(const char*, const char*)>("rename")(from, to);
}

int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) {
  if (fails(std::string_view(to))) return -1;
  return next<int (*)(int, const char*, int, const char*, int)>("linkat")(from_folder, from,
                                                                          to_folder, to, flags);
}

int unlink(const char* path) {
  if (fails(std::string_view(path))) return -1;
  return next<int (*)(const char*)>("unlink")(path);
}

int mkdir(const char* path, mode_t mode) {
  if (fails(std::string_view(path))) return -1;
  return next<int (*)(const char*, mode_t)>("mkdir")(path, mode);
}

}  // extern "C"
