// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace impasto::app {

/// Adds --config to a command.
void add_config_option(CLI::App& command, std::optional<std::string>& path);

/// Gives every option that the command line left open a value from the environment
/// (IMPASTO_TV_WEIGHT for --tv-weight) or, failing that, from the --config file: keys at its top,
/// or in the section named after the command. Throws ErrorKind::usage for a value that does not fit
/// or a key nobody knows.
void fill_from_environment_and_config(CLI::App& command);

}  // namespace impasto::app
