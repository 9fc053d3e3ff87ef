// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

#include "host/core/printable.hpp"

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

/// Writes all of the text and waits where the other end is slow. It calls `give_up` now and then
/// and stops waiting when that returns true. Returns 0 or the system's errno.
int write_all(
    int descriptor, std::string_view text,
    const std::function<bool()>& give_up = [] { return false; });

/// Text as it is, to stderr. A stderr that nobody reads is no failure.
void print_message(std::string_view text);

/// "impasto: <message>", and under it the hint if there is one; to stderr.
void print_failure(std::string_view message, std::string_view hint);

/// To stdout; throws ErrorKind::output when stdout does not take it, a full disk for example.
void print_result(std::string_view text);

/// Makes a text printable, since it may come from anywhere, as a file name does; leaves other
/// values as they are.
template <class T>
using Printable =
    std::conditional_t<std::is_convertible_v<const T&, std::string_view>, std::string, T>;

template <class T>
Printable<T> made_printable(const T& value) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return printable(value);
  } else {
    return value;
  }
}

/// fmt::format for people: every text among the arguments is made printable (printable.hpp).
template <class... Args>
std::string text(fmt::format_string<Printable<Args>...> format, const Args&... args) {
  return fmt::format(format, made_printable(args)...);
}

template <class... Args>
void message(fmt::format_string<Printable<Args>...> format, const Args&... args) {
  print_message(text(format, args...));
}

}  // namespace impasto::app
