// SPDX-License-Identifier: MIT
#include "host/app/completion.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <vector>

#include "host/app/settings.hpp"
#include "host/app/version.hpp"
#include "host/core/error.hpp"

namespace impasto::app {
namespace {

/// What a shell is told. Each asks for the candidates of the last word, and completes files where there
/// are none.
constexpr auto bash_script = R"script(# bash: source <(impasto completion bash)
_impasto() {
  local IFS=$'\n' word=${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=($(compgen -W "$(impasto complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1)" -- "$word"))
}
complete -o bashdefault -o default -F _impasto impasto
)script";

constexpr auto zsh_script = R"script(#compdef impasto
# zsh: source <(impasto completion zsh), after compinit
_impasto() {
  local -a found
  found=(${(f)"$(impasto complete "${(@)words[2,CURRENT]}" 2>/dev/null)"})
  found=("${(@)found//:/\\:}")
  found=("${(@)found/$'\t'/:}")
  if (( $#found )); then _describe impasto found; else _files; fi
}
# compinit finds this file and calls it for the first candidates; sourced, it says whose they are.
if [[ $funcstack[1] == _impasto ]]; then _impasto "$@"; else compdef _impasto impasto; fi
)script";

constexpr auto fish_script = R"script(# fish: impasto completion fish | source
complete -c impasto -a '(impasto complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
)script";

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

/// "--output" and "-o".
std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  return names;
}

/// The words that an option chooses from: of "content|random|FILE" the first two.
std::vector<std::string> choices_of(const CLI::Option& option) {
  std::vector<std::string> words = CLI::detail::split(option.get_type_name(), '|');
  if (words.size() < 2) return {};
  std::erase_if(words, [](const std::string& word) { return CLI::detail::to_lower(word) != word; });
  return words;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  std::vector<const CLI::App*> commands;
  for (const CLI::App* inner : app.get_subcommands({})) {
    if (!inner->get_group().empty()) commands.push_back(inner);
  }
  return commands;
}

const CLI::Option* find_option(const CLI::App& app, const std::string& name) {
  for (const CLI::Option* option : app.get_options()) {
    if (std::ranges::count(names_of(*option), name) > 0) return option;
  }
  return nullptr;
}

/// A text for troff: no line begins a request, no hyphen becomes a dash, and a list of choices may
/// go on in the next line.
std::string troff(const std::string& text) {
  std::string result;
  for (const char letter : text) {
    if (letter == '\\') {
      result += "\\e";
    } else if (letter == '-') {
      result += "\\-";
    } else if (letter == '|') {
      result += "|\\:";
    } else {
      if ((letter == '.' || letter == '\'') && (result.empty() || result.back() == '\n'))
        result += "\\&";
      result += letter;
    }
  }
  return result;
}

void add_options(const CLI::App& app, std::string& page) {
  for (const CLI::Option* option : app.get_options()) {
    std::vector<std::string> names = names_of(*option);
    if (option->get_positional()) names = {option->get_name(true)};
    const bool value = !option->get_positional() && option->get_type_size() != 0;
    page += fmt::format(".TP\n.B {}{}\n{}\n", troff(fmt::format("{}", fmt::join(names, ", "))),
                        value ? " \\fI" + troff(option->get_type_name()) + "\\fR" : "",
                        troff(one_line(option->get_description())));
  }
}

void add_commands(const CLI::App& app, std::string& page) {
  for (const CLI::App* command : commands_of(app)) {
    page += fmt::format(".SS impasto {}\n{}\n", troff(full_name(*command)),
                        troff(command->get_description()));
    add_options(*command, page);
    if (!command->get_footer().empty())
      page += ".PP\n.nf\n" + troff(command->get_footer()) + "\n.fi\n";
    add_commands(*command, page);
  }
}

/// The candidates for the last of `words`.
std::string complete(const CLI::App& program, std::span<const std::string> words) {
  const CLI::App* app = &program;
  std::string before;
  for (const std::string& word : words.first(words.empty() ? 0 : words.size() - 1)) {
    before = word;
    for (const CLI::App* inner : commands_of(*app)) {
      if (inner->get_name() != word) continue;
      app = inner;
      break;
    }
  }
  const std::string last = words.empty() ? "" : words.back();
  std::string lines;
  const auto offer = [&](const std::string& candidate, const std::string& meaning) {
    if (candidate.starts_with(last)) lines += fmt::format("{}\t{}\n", candidate, one_line(meaning));
  };
  const CLI::Option* option = find_option(*app, before);
  if (option != nullptr && option->get_type_size() != 0) {
    for (const std::string& choice : choices_of(*option)) offer(choice, "");
  } else if (last.starts_with('-')) {
    for (const CLI::Option* each : app->get_options()) {
      for (const std::string& name : names_of(*each)) offer(name, each->get_description());
    }
  } else {
    for (const CLI::App* inner : commands_of(*app))
      offer(inner->get_name(), inner->get_description());
  }
  return lines;
}

std::string completion_script(const std::string& shell) {
  if (shell == "bash") return bash_script;
  if (shell == "zsh") return zsh_script;
  if (shell == "fish") return fish_script;
  fail(ErrorKind::usage, "completion takes bash, zsh or fish, not '{}'", shell);
}

std::string manual_page(const CLI::App& program) {
  std::string page = fmt::format(
      ".TH IMPASTO 1 \"\" \"impasto {}\" \"User commands\"\n"
      ".ad l\n"  // a list of choices has no spaces to stretch
      ".SH NAME\nimpasto \\- neural style transfer\n"
      ".SH SYNOPSIS\n.B impasto\n.I COMMAND\n[\\fIOPTIONS\\fR]\n"
      ".SH DESCRIPTION\n{}\n.PP\nWhat holds without an option is in brackets.\n.SH OPTIONS\n",
      version, troff(program.get_description()));
  add_options(program, page);
  page += ".SH COMMANDS\n";
  add_commands(program, page);
  return page;
}

}  // namespace

std::optional<std::string> text_about(const CLI::App& program, std::span<const std::string> words) {
  if (words.empty()) return std::nullopt;
  if (words.front() == "completion") return completion_script(words.size() > 1 ? words[1] : "");
  if (words.front() == "complete") return complete(program, words.subspan(1));
  if (words.front() == "manual") return manual_page(program);
  return std::nullopt;
}

}  // namespace impasto::app
