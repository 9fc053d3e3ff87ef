// SPDX-License-Identifier: MIT
#include "host/app/values.hpp"

#include <charconv>
#include <cmath>
#include <utility>

#include "host/app/failure.hpp"
#include "host/core/suggest.hpp"

namespace impasto::app {
namespace {

/// The whole text as a number, or nothing.
template <class T>
std::optional<T> parsed(const std::string& text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::string described(const WholeRange& range) {
  if (range.highest == std::numeric_limits<std::int64_t>::max()) {
    return fmt::format("a whole number, {} or more", range.lowest);
  }
  return fmt::format("a whole number from {} to {}", range.lowest, range.highest);
}

}  // namespace

CLI::Option* add_whole(CLI::App& command, const std::string& flag,
                       std::optional<std::int64_t>& value, WholeRange range,
                       const std::string& help) {
  const auto read = [flag, &value, range](const std::string& text) {
    const auto number = parsed<std::int64_t>(text);
    if (!number || *number < range.lowest || *number > range.highest) {
      fail(ErrorKind::usage, "{} takes {}, not '{}'", flag, described(range), text);
    }
    value = number;
  };
  return command.add_option_function<std::string>(flag, read, help)->type_name("N");
}

CLI::Option* add_real(CLI::App& command, const std::string& flag, std::optional<double>& value,
                      bool positive, const std::string& help) {
  const auto read = [flag, &value, positive](const std::string& text) {
    const auto number = parsed<double>(text);
    const bool fits = number && std::isfinite(*number) && (positive ? *number > 0 : *number >= 0);
    if (!fits) {
      fail(ErrorKind::usage, "{} takes a number {}, not '{}'", flag,
           positive ? "greater than 0" : "that is 0 or greater", text);
    }
    value = number;
  };
  return command.add_option_function<std::string>(flag, read, help)->type_name("X");
}

CLI::Option* add_choice(CLI::App& command, const std::string& flag,
                        std::optional<std::string>& value, std::vector<std::string> choices,
                        const std::string& help) {
  const std::string type = CLI::detail::join(choices, "|");
  const auto read = [flag, &value, choices = std::move(choices)](const std::string& text) {
    for (const std::string& choice : choices) {
      if (choice == text) {
        value = text;
        return;
      }
    }
    throw HintedError(ErrorKind::usage,
                      fmt::format("{} takes {}, not '{}'", flag, one_of(choices), text),
                      did_you_mean(text, choices));
  };
  return command.add_option_function<std::string>(flag, read, help)->type_name(type);
}

CLI::Option* add_text(CLI::App& command, const std::string& flag, std::optional<std::string>& value,
                      const std::string& type, const std::string& help) {
  return command.add_option(flag, value, help)->type_name(type);
}

}  // namespace impasto::app
