// SPDX-License-Identifier: MIT
#include "host/app/log.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unistd.h>

namespace impasto::app {

Log::Log(const OutputPath& path) {
  if (!path) return;
  path_ = path.string();
  descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    fail(ErrorKind::output, "{}: cannot open the log: {}", path_, std::strerror(errno));
  }
}

Log::~Log() {
  if (descriptor_ >= 0) close(descriptor_);
}

void Log::write(const Json& record) {
  if (descriptor_ < 0 || failure_) return;
  const std::string line = dump(record) + "\n";
  for (std::string_view rest = line; !rest.empty();) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      failure_ = Error(ErrorKind::output,
                       fmt::format("{}: the log is incomplete: {}", path_, std::strerror(errno)));
      return;
    }
  }
}

void Log::write(const Progress& progress) {
  if (descriptor_ < 0) return;
  Json record = {{"event", "iteration"}, {"iteration", progress.iteration}};
  record.update(describe(progress.losses.front()));
  record["seconds"] = progress.seconds;
  write(record);
}

}  // namespace impasto::app
