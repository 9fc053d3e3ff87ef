// SPDX-License-Identifier: MIT
#include "host/app/terminal.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host/core/error.hpp"

namespace impasto::app {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

bool utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view value = environment(name);
    if (value.empty()) continue;
    for (const std::string_view spelling : {"UTF-8", "utf-8", "UTF8", "utf8"}) {
      if (value.find(spelling) != std::string_view::npos) return true;
    }
    return false;
  }
  return false;
}

Terminal look() {
  Terminal found;
  found.redraws = isatty(STDERR_FILENO) != 0 && environment("TERM") != "dumb";
  found.colour = found.redraws && environment("NO_COLOR").empty();
  found.unicode = utf8_locale();
  return found;
}

}  // namespace

int Terminal::width() const {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

const Terminal& terminal() {
  static const Terminal found = look();
  return found;
}

int write_all(int descriptor, std::string_view text, const std::function<bool()>& give_up) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      constexpr int milliseconds = 200;
      pollfd place{descriptor, POLLOUT, 0};
      if (::poll(&place, 1, milliseconds) == 0 && give_up()) return EINTR;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

void print_message(std::string_view text) { static_cast<void>(write_all(STDERR_FILENO, text)); }

void print_failure(std::string_view message, std::string_view hint) {
  const bool colour = terminal().colour;
  // A progress line may be in the way.
  std::string text = terminal().redraws ? "\r\x1b[K" : "";
  text += fmt::format("{}impasto:{} {}\n", colour ? "\x1b[1;31m" : "", colour ? "\x1b[0m" : "",
                      message);
  if (!hint.empty()) text += fmt::format("         {}\n", hint);
  print_message(text);
}

void print_result(std::string_view text) {
  if (const int reason = write_all(STDOUT_FILENO, text); reason != 0) {
    fail(ErrorKind::output, "standard output: cannot write: {}", std::strerror(reason));
  }
}

}  // namespace impasto::app
