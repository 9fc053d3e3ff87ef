// SPDX-License-Identifier: MIT
#include "host/film/child.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/core/error.hpp"

extern char** environ;

namespace impasto::film {
namespace {

/// Of a child: nothing to read, a pipe to write to, a file for complaints, and signals as they were.
class SpawnSettings {
 public:
  SpawnSettings(int output, int errors) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, errors, STDERR_FILENO);
    posix_spawnattr_init(&attributes_);
    sigset_t own;
    sigemptyset(&own);
    posix_spawnattr_setsigmask(&attributes_, &own);
    sigaddset(&own, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes_, &own);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  int spawn(pid_t& process, std::vector<char*>& words) {
    return ::posix_spawnp(&process, words.front(), &actions_, &attributes_, words.data(), environ);
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

Child::Child(std::vector<std::string> command)
    : name_(command.front()), errors_(open_nameless_file()) {
  std::array<int, 2> ends{};
  if (!errors_ || ::pipe2(ends.data(), O_CLOEXEC) != 0) {
    fail(ErrorKind::out_of_memory, "cannot start {}: {}", name_, std::strerror(errno));
  }
  output_ = FileDescriptor(ends[0]);
  const FileDescriptor input(ends[1]);
  std::vector<char*> words;
  for (std::string& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  const int reason = SpawnSettings(input.get(), errors_.get()).spawn(process_, words);
  if (reason == 0) return;
  process_ = 0;
  if (reason == ENOENT) {
    fail(ErrorKind::backend,
         "reading and writing video takes the programs ffmpeg and ffprobe, and {} is not here: "
         "install ffmpeg, or give a folder of pictures",
         name_);
  }
  fail(ErrorKind::backend, "cannot start {}: {}", name_, std::strerror(reason));
}

Child::~Child() {
  if (process_ == 0) return;
  ::kill(process_, SIGKILL);
  static_cast<void>(finish());
}

std::size_t Child::read(std::span<std::byte> bytes) {
  const auto count = read_all(output_, bytes);
  if (!count) fail(ErrorKind::input, "cannot read from {}: {}", name_, std::strerror(errno));
  return *count;
}

std::string Child::read_text(std::size_t most) {
  std::string text(most, '\0');
  text.resize(read(std::as_writable_bytes(std::span(text))));
  return text;
}

bool Child::finish() {
  if (process_ == 0) return false;
  while (::waitpid(process_, &status_, 0) < 0 && errno == EINTR) {
  }
  process_ = 0;
  return WIFEXITED(status_) && WEXITSTATUS(status_) == 0;
}

std::string Child::complaint() const {
  constexpr std::size_t most = 64 << 10U;
  std::string text(most, '\0');
  const bool readable = ::lseek(errors_.get(), 0, SEEK_SET) == 0;
  text.resize(readable ? read_all(errors_, std::as_writable_bytes(std::span(text))).value_or(0)
                       : 0);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (!text.empty()) return text.substr(text.rfind('\n') + 1);
  return WIFSIGNALED(status_)
             ? fmt::format("{} was ended by signal {}", name_, WTERMSIG(status_))
             : fmt::format("{} ended with exit status {}", name_, WEXITSTATUS(status_));
}

}  // namespace impasto::film
