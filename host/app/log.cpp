// SPDX-License-Identifier: MIT
#include "host/app/log.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/app/signals.hpp"
#include "host/app/terminal.hpp"

namespace impasto::app {

Log::~Log() {
  if (descriptor_ >= 0) close(descriptor_);
}

void Log::open(const OutputPath& path) {
  if (!path) return;
  path_ = path.string();
  const auto refuse = [this](std::string_view reason) {
    fail(ErrorKind::output, "{}: cannot open the log: {}", path_, reason);
  };
  // O_NONBLOCK: opening a pipe would wait for its reader.
  do {
    descriptor_ =
        ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
  } while (descriptor_ < 0 && errno == EINTR);
  if (descriptor_ < 0) refuse(errno == ENXIO ? "nobody reads this pipe" : std::strerror(errno));
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) return;
  // Before it is emptied. Some file systems have no locks; there, runs are not kept apart.
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    refuse("another run is writing it");
  }
  if (::ftruncate(descriptor_, 0) != 0) refuse(std::strerror(errno));
}

void Log::write(const Json& record) {
  if (descriptor_ < 0 || failure_) return;
  const int reason =
      write_all(descriptor_, dump(record) + "\n", [] { return caught_signal() != 0; });
  if (reason != 0) {
    failure_ = Error(ErrorKind::output,
                     fmt::format("{}: the log is incomplete: {}", path_, std::strerror(reason)));
  }
}

void Log::write(const Progress& progress) {
  if (descriptor_ < 0) return;
  Json record = {
      {"event", "iteration"}, {"iteration", progress.iteration}, {"size", progress.size}};
  record.update(describe(progress.losses.front()));
  record["seconds"] = progress.seconds;
  write(record);
}

}  // namespace impasto::app
