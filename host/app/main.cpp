// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/app/about.hpp"
#include "host/app/batch_worker.hpp"
#include "host/app/commands.hpp"
#include "host/app/completion.hpp"
#include "host/app/failure.hpp"
#include "host/app/settings.hpp"
#include "host/app/signals.hpp"
#include "host/app/terminal.hpp"
#include "host/app/threads.hpp"
#include "host/core/suggest.hpp"

namespace impasto::app {
namespace {

/// "impasto weights generate"
std::string spoken_name(const CLI::App& command) {
  const std::string name = full_name(command);
  return name.empty() ? "impasto" : "impasto " + name;
}

std::vector<std::string> command_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* inner : command.get_subcommands({})) names.push_back(inner->get_name());
  return names;
}

/// The layout of --help: options aligned in one column that fits 100 columns, no noise.
class HelpFormat : public CLI::Formatter {
 public:
  HelpFormat() {
    column_width(34);
    label("Positionals", "Arguments");
  }

  std::string make_help(const CLI::App* command, std::string name,
                        CLI::AppFormatMode mode) const override {
    // CLI11 separates groups by two empty lines.
    std::string text = Formatter::make_help(command, std::move(name), mode);
    text = CLI::detail::find_and_replace(text, "\n\n\n", "\n\n");
    return CLI::detail::find_and_replace(text, "\nSubcommands:", "\nCommands:");
  }

  std::string make_usage(const CLI::App* command, std::string /*name*/) const override {
    std::string usage = "\nUsage: " + spoken_name(*command);
    if (!command_names(*command).empty()) return usage + " COMMAND ...\n";
    for (const CLI::Option* option : command->get_options()) {
      if (!option->get_positional()) continue;
      const bool many = option->get_expected_max() > 1;
      usage += fmt::format(" {}{}", option->get_name(true), many ? "..." : "");
    }
    return usage + " [OPTIONS]\n";
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_positional() || option->get_type_size() == 0) return {};
    const std::size_t indent = 2 + option->get_name(false, true).size() + 1;
    return " " + folded(option->get_type_name(), indent);
  }

 private:
  /// Words with | between, of which a long list goes on below itself.
  static std::string folded(const std::string& words, std::size_t indent) {
    constexpr std::size_t width = 80;
    std::string text;
    std::size_t column = indent;
    for (const std::string& word : CLI::detail::split(words, '|')) {
      if (!text.empty()) text += '|';
      if (column + word.size() > width) {
        text += "\n" + std::string(indent, ' ');
        column = indent;
      }
      text += word;
      column += word.size() + 1;
    }
    return text;
  }
};

/// The innermost command that the command line reached.
const CLI::App& reached(const CLI::App& app) {
  const std::vector<CLI::App*> inner = app.get_subcommands();
  return inner.empty() ? app : reached(*inner.front());
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// What other programs for the same purpose call an option, and what it is called here.
std::string_view own_name(std::string_view option) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> names = {{
      {"--image-size", "--size"},
      {"--max-size", "--size"},
      {"--style-scale", "--style-size"},
      {"--num-iterations", "--iterations"},
      {"--output-image", "--output"},
      {"--model-file", "--weights"},
      {"--save-iter", "--save-every"},
      {"--backend", "--device"},
      {"--gpu", "--device"},
  }};
  std::string dashed(option);
  std::ranges::replace(dashed, '_', '-');
  const auto* const found = std::ranges::find(names, dashed, &decltype(names)::value_type::first);
  return found == names.end() ? std::string_view() : found->second;
}

/// Something on the command line that nothing took.
[[noreturn]] void fail_on_extra(const CLI::App& command, const std::string& word) {
  const std::string help = fmt::format("see '{} --help'", spoken_name(command));
  const std::vector<std::string> commands = command_names(command);
  if (word.starts_with("-")) {
    const std::string name = word.substr(0, word.find('='));
    const std::vector<std::string> known = option_names(command);
    const std::string_view own = own_name(name);
    throw HintedError(ErrorKind::usage,
                      fmt::format("{} has no option '{}'", spoken_name(command), name),
                      did_you_mean(own.empty() ? name : own, known, help));
  }
  if (!commands.empty()) {
    throw HintedError(ErrorKind::usage,
                      fmt::format("{} has no command '{}'", spoken_name(command), word),
                      did_you_mean(word, commands, "the commands are " + one_of(commands)));
  }
  throw HintedError(ErrorKind::usage,
                    fmt::format("{} does not expect '{}'", spoken_name(command), word), help);
}

/// Reads the command line and runs the command it names; --help and --version go to stdout. Throws
/// ErrorKind::usage, saying which word is wrong and what may have been meant.
void parse_and_run(CLI::App& program, int argc, const char* const* argv) {
  const auto help = [&program] {
    return fmt::format("see '{} --help'", spoken_name(reached(program)));
  };
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const std::vector<std::string> extra = program.remaining(true);
    const bool misspelt = !extra.empty() && !extra.front().starts_with('-');
    if (misspelt && !command_names(reached(program)).empty()) {
      fail_on_extra(reached(program), extra.front());
    }
    print_result(program.help());
    return;
  } catch (const CLI::CallForVersion& version) {
    print_result(version.what());
    return;
  } catch (const CLI::ExtrasError&) {
    fail_on_extra(reached(program), program.remaining(true).front());
  } catch (const CLI::Error& error) {
    throw HintedError(ErrorKind::usage, error.what(), help());
  }
  const std::vector<std::string> missing = command_names(reached(program));
  if (!missing.empty()) {
    throw HintedError(
        ErrorKind::usage,
        fmt::format("{} needs a command: {}", spoken_name(reached(program)), one_of(missing)),
        help());
  }
}

void run(int argc, const char* const* argv) {
  CLI::App program("Impasto paints one picture in the style of others: neural style transfer.");
  program.formatter(std::make_shared<HelpFormat>());
  program.require_subcommand(0, 1);
  program.set_help_flag("-h,--help", "show this");
  program.set_version_flag("-V,--version", about_program, "show version, backends and libraries");
  add_stylize_command(program);
  add_batch_commands(program);
  add_sweep_command(program);
  add_frames_command(program);
  add_score_command(program);
  add_activations_command(program);
  add_weights_command(program);
  add_samples_command(program);
  add_devices_command(program);
  add_check_command(program);
  // Last, because commands inherit what is there before them.
  program.footer(
      "Try it without any file: impasto stylize sample:scene sample:painting -o demo.png\n"
      "More about a command:   impasto COMMAND --help\n"
      "Completion in a shell:  impasto completion bash|zsh|fish; a manual page: impasto manual");

  const std::vector<std::string> words(argv + 1, argv + argc);
  if (const auto text = text_about(program, words)) {
    print_result(*text);
    return;
  }
  std::vector<const char*> arguments(argv, argv + argc);
  if (!words.empty() && words.front() == "help") {  // "help stylize" is "stylize --help"
    arguments.erase(arguments.begin() + 1);
    arguments.push_back("--help");
  }
  parse_and_run(program, static_cast<int>(arguments.size()), arguments.data());
}

}  // namespace
}  // namespace impasto::app

int main(int argc, char** argv) {
  using namespace impasto::app;
  set_up_process();
  if (argc > 1 && std::string_view(argv[1]) == worker_command) {
    return work_for_supervisor(std::span<char* const>(argv, argv + argc).subspan(2));
  }
  try {
    limit_threads();
    run(argc, argv);
    return 0;
  } catch (...) {
    return report_failure(std::current_exception());
  }
}
