// SPDX-License-Identifier: MIT
#include "host/app/help.hpp"

#include <fmt/format.h>
#include <utility>

namespace impasto::app {
namespace {

std::string full_name(const CLI::App* command) {
  const CLI::App* parent = command->get_parent();
  return parent == nullptr ? "impasto" : full_name(parent) + " " + command->get_name();
}

}  // namespace

HelpFormat::HelpFormat() {
  column_width(34);
  label("Positionals", "Arguments");
}

std::string HelpFormat::make_help(const CLI::App* command, std::string name,
                                  CLI::AppFormatMode mode) const {
  // CLI11 separates groups by two empty lines.
  std::string text = Formatter::make_help(command, std::move(name), mode);
  text = CLI::detail::find_and_replace(text, "\n\n\n", "\n\n");
  return CLI::detail::find_and_replace(text, "\nSubcommands:", "\nCommands:");
}

std::string HelpFormat::make_usage(const CLI::App* command, std::string /*name*/) const {
  std::string usage = "\nUsage: " + full_name(command);
  if (!command->get_subcommands({}).empty()) return usage + " COMMAND ...\n";
  for (const CLI::Option* option : command->get_options()) {
    if (!option->get_positional()) continue;
    const bool many = option->get_expected_max() > 1;
    usage += fmt::format(" {}{}", option->get_name(true), many ? "..." : "");
  }
  return usage + " [OPTIONS]\n";
}

std::string HelpFormat::make_option_opts(const CLI::Option* option) const {
  if (option->get_positional() || option->get_type_size() == 0) return {};
  return " " + option->get_type_name();
}

}  // namespace impasto::app
