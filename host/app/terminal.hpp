// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>
#include <string_view>
#include <utility>

namespace impasto::app {

/// What stderr can show.
struct Terminal {
  bool redraws = false;  ///< a line can be drawn over: a terminal, and not a dumb one
  bool colour = false;   ///< and the user has not set NO_COLOR
  bool unicode = false;  ///< the locale is UTF-8

  /// Columns, asked anew each time because windows are resized.
  [[nodiscard]] int width() const;
};

const Terminal& terminal();

/// Text as it is, to stderr.
void print_message(std::string_view text);

/// "impasto: <message>", and under it the hint if there is one; to stderr.
void print_failure(std::string_view message, std::string_view hint);

/// To stdout; throws ErrorKind::output when stdout does not take it, a full disk for example.
void print_result(std::string_view text);

template <class... Args>
void message(fmt::format_string<Args...> format, Args&&... args) {
  print_message(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace impasto::app
