// SPDX-License-Identifier: MIT
#include "host/app/usage.hpp"

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "host/app/failure.hpp"
#include "host/app/terminal.hpp"
#include "host/core/suggest.hpp"

namespace impasto::app {
namespace {

/// The innermost command that the command line reached.
CLI::App* reached(CLI::App* app) {
  const std::vector<CLI::App*> inner = app->get_subcommands();
  return inner.empty() ? app : reached(inner.front());
}

std::string command_line(const CLI::App* app) {
  const CLI::App* parent = app->get_parent();
  return parent == nullptr ? "impasto" : command_line(parent) + " " + app->get_name();
}

std::vector<std::string> option_names(const CLI::App* command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command->get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::vector<std::string> command_names(CLI::App* command) {
  std::vector<std::string> names;
  for (const CLI::App* inner : command->get_subcommands({})) names.push_back(inner->get_name());
  return names;
}

/// Something on the command line that nothing took.
[[noreturn]] void fail_on_extra(CLI::App* command, const std::string& word) {
  const std::string help = fmt::format("see '{} --help'", command_line(command));
  const std::vector<std::string> commands = command_names(command);
  if (word.starts_with("-")) {
    const std::string name = word.substr(0, word.find('='));
    throw HintedError(ErrorKind::usage,
                      fmt::format("{} has no option '{}'", command_line(command), name),
                      did_you_mean(name, option_names(command), help));
  }
  if (!commands.empty()) {
    throw HintedError(ErrorKind::usage,
                      fmt::format("{} has no command '{}'", command_line(command), word),
                      did_you_mean(word, commands, "the commands are " + one_of(commands)));
  }
  throw HintedError(ErrorKind::usage,
                    fmt::format("{} does not expect '{}'", command_line(command), word), help);
}

}  // namespace

int parse_and_run(CLI::App& program, int argc, const char* const* argv) {
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    print_result(program.help());
    return 0;
  } catch (const CLI::CallForVersion& version) {
    print_result(fmt::format("{}\n", version.what()));
    return 0;
  } catch (const CLI::ExtrasError&) {
    fail_on_extra(reached(&program), program.remaining(true).front());
  } catch (const CLI::Error& error) {
    throw HintedError(ErrorKind::usage, error.what(),
                      fmt::format("see '{} --help'", command_line(reached(&program))));
  }
  CLI::App* command = reached(&program);
  const std::vector<std::string> missing = command_names(command);
  if (!missing.empty()) {
    throw HintedError(ErrorKind::usage,
                      fmt::format("{} needs a command: {}", command_line(command), one_of(missing)),
                      fmt::format("see '{} --help'", command_line(command)));
  }
  return 0;
}

}  // namespace impasto::app
