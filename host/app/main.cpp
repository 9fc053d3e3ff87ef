// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <exception>
#include <memory>

#include "host/app/commands.hpp"
#include "host/app/failure.hpp"
#include "host/app/help.hpp"
#include "host/app/signals.hpp"
#include "host/app/usage.hpp"
#include "host/app/version.hpp"

int main(int argc, char** argv) {
  using namespace impasto::app;
  catch_signals();
  CLI::App program("Impasto paints one picture in the style of others: neural style transfer.");
  program.formatter(std::make_shared<HelpFormat>());
  program.require_subcommand(0, 1);
  program.set_help_flag("-h,--help", "show this");
  program.set_version_flag("--version", std::string("impasto ") + version, "show the version");
  add_stylize_command(program);
  add_score_command(program);
  add_activations_command(program);
  add_weights_command(program);
  add_samples_command(program);
  add_devices_command(program);
  add_check_command(program);
  // Last, because commands inherit what is there before them.
  program.footer(
      "Try it without any file: impasto stylize sample:scene sample:painting -o demo.png\n"
      "More about a command:   impasto COMMAND --help");
  try {
    return parse_and_run(program, argc, argv);
  } catch (...) {
    return report_failure(std::current_exception());
  }
}
