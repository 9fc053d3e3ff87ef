// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string>

namespace CLI {
class App;
}

namespace impasto::app {

/// Texts about the command line, made from the command line itself, so from the table of settings. `words` are those
/// after the program's name:
///
///   completion SHELL   a script for bash, zsh or fish, which asks the next
///   complete WORD...   what may stand in place of the last word: one candidate in a line, with a tab and what it means;
///                      nothing where it is a file or a number
///   manual             the manual page, in troff
///
/// Nothing for other words. Throws ErrorKind::usage for another shell.
std::optional<std::string> text_about(const CLI::App& program, std::span<const std::string> words);

}  // namespace impasto::app
