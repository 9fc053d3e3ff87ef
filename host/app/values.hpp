// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace impasto::app {

/// Options whose values are checked as they are read, with messages that name the option, what it
/// takes and what it got. A value stays empty until the user gives one.

/// The longest side a picture may be asked for, as ImageLimits has it.
inline constexpr std::int64_t largest_size = 32768;

struct WholeRange {
  std::int64_t lowest = 0;
  std::int64_t highest = std::numeric_limits<std::int64_t>::max();
};
CLI::Option* add_whole(CLI::App& command, const std::string& flag,
                       std::optional<std::int64_t>& value, WholeRange range,
                       const std::string& help);

/// A finite number; `positive` refuses 0 as well.
CLI::Option* add_real(CLI::App& command, const std::string& flag, std::optional<double>& value,
                      bool positive, const std::string& help);

/// One of a few words.
CLI::Option* add_choice(CLI::App& command, const std::string& flag,
                        std::optional<std::string>& value, std::vector<std::string> choices,
                        const std::string& help);

/// Any text; `type` names it in the help: "FILE".
CLI::Option* add_text(CLI::App& command, const std::string& flag, std::optional<std::string>& value,
                      const std::string& type, const std::string& help);

}  // namespace impasto::app
