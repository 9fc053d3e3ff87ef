// SPDX-License-Identifier: MIT
#include "host/app/settings.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "host/app/failure.hpp"
#include "host/core/suggest.hpp"

namespace impasto::app {
namespace {

/// The long name of an option without dashes: "tv-weight". Empty for positionals.
std::string long_name(const CLI::Option& option) {
  return option.get_lnames().empty() ? std::string() : option.get_lnames().front();
}

std::string environment_name(const std::string& name) {
  std::string result = "IMPASTO_";
  for (const char letter : name) {
    result += letter == '-' ? '_' : static_cast<char>(std::toupper(letter));
  }
  return result;
}

bool truth(const std::string& text) {
  for (const char* yes : {"1", "true", "yes", "on"}) {
    if (text == yes) return true;
  }
  for (const char* no : {"0", "false", "no", "off"}) {
    if (text == no) return false;
  }
  fail(ErrorKind::usage, "a switch takes true or false, not '{}'", text);
}

/// Gives an open option a value; what is wrong with it is told with the place it came from.
void give(CLI::Option& option, const std::string& text, const std::string& source) {
  const bool is_switch = option.get_expected_min() == 0;
  try {
    if (!is_switch) {
      option.add_result(text);
    } else if (truth(text)) {
      option.add_result("true");
    } else {
      return;
    }
    option.run_callback();
  } catch (const HintedError& error) {
    throw HintedError(error.kind(), fmt::format("{}: {}", source, error.what()), error.hint());
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", source, error.what()));
  }
}

bool is_setting(const CLI::Option& option) {
  return option.get_configurable() && !long_name(option).empty();
}

std::vector<std::string> setting_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    if (is_setting(*option)) names.push_back(long_name(*option));
  }
  return names;
}

CLI::Option* find_setting(CLI::App& command, const std::string& name) {
  for (CLI::Option* option : command.get_options({})) {
    if (is_setting(*option) && long_name(*option) == name) return option;
  }
  return nullptr;
}

bool known_to_another_command(CLI::App& command, const std::string& name) {
  const auto commands = command.get_parent()->get_subcommands({});
  return std::any_of(commands.begin(), commands.end(),
                     [&](CLI::App* other) { return find_setting(*other, name) != nullptr; });
}

std::string joined(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ",") + value;
  return text;
}

std::vector<CLI::ConfigItem> read_config(const std::string& path) {
  if (!std::filesystem::is_regular_file(path)) {
    fail(ErrorKind::usage, "{}: expected a configuration file, found {}", path,
         std::filesystem::exists(path) ? "something else" : "nothing");
  }
  try {
    return CLI::ConfigTOML().from_file(path);
  } catch (const CLI::Error& error) {
    fail(ErrorKind::usage, "{}: {}", path, error.what());
  }
}

void fill_from_config(CLI::App& command, const std::string& path) {
  for (const CLI::ConfigItem& item : read_config(path)) {
    const bool section_mark = item.name == "++" || item.name == "--";
    const bool elsewhere = !item.parents.empty() && item.parents.front() != command.get_name();
    if (section_mark || elsewhere) continue;
    std::string name = item.name;
    std::replace(name.begin(), name.end(), '_', '-');
    CLI::Option* option = find_setting(command, name);
    if (option == nullptr) {
      if (item.parents.empty() && known_to_another_command(command, name)) continue;
      throw HintedError(ErrorKind::usage, fmt::format("{}: unknown setting '{}'", path, item.name),
                        did_you_mean(name, setting_names(command)));
    }
    if (option->empty()) give(*option, joined(item.inputs), path);
  }
}

}  // namespace

void add_config_option(CLI::App& command, std::optional<std::string>& path) {
  command.add_option("--config", path, "read settings from a TOML file: size = 640")
      ->type_name("FILE");
}

void fill_from_environment_and_config(CLI::App& command) {
  for (CLI::Option* option : command.get_options({})) {
    if (!is_setting(*option) || !option->empty()) continue;
    const std::string name = environment_name(long_name(*option));
    const char* value = std::getenv(name.c_str());
    if (value != nullptr && *value != '\0') give(*option, value, name);
  }
  const CLI::Option* config = command.get_option_no_throw("--config");
  if (config != nullptr && !config->empty()) {
    fill_from_config(command, config->as<std::string>());
  }
}

}  // namespace impasto::app
