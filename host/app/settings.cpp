// SPDX-License-Identifier: MIT
#include "host/app/settings.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <sys/stat.h>
#include <toml++/toml.h>

#include "host/api/engine.hpp"
#include "host/app/describe.hpp"
#include "host/app/failure.hpp"
#include "host/app/inputs.hpp"
#include "host/app/recipe.hpp"
#include "host/app/terminal.hpp"
#include "host/core/file_descriptor.hpp"
#include "host/core/suggest.hpp"
#include "weights/weights_file.hpp"

extern char** environ;

namespace impasto::app {
namespace {

/// Variables of the program that are no settings of a command.
constexpr std::array<std::string_view, 2> other_variables = {"IMPASTO_SYNC", "IMPASTO_CACHE_DIR"};

std::string environment_name(std::string_view name) {
  std::string result = "IMPASTO_";
  for (const char letter : name) {
    result += letter == '-' ? '_' : static_cast<char>(std::toupper(letter));
  }
  return result;
}

/// The rows that a command takes.
std::vector<const Setting*> settings_of(std::string_view command) {
  std::vector<const Setting*> rows;
  for (const Setting& row : settings_table()) {
    if (row.is_of(command)) rows.push_back(&row);
  }
  return rows;
}

const Setting* find_setting(const std::vector<const Setting*>& rows, std::string_view name) {
  const auto found = std::ranges::find(rows, name, &Setting::name);
  return found == rows.end() ? nullptr : *found;
}

/// What may stand in a configuration file.
bool configurable(const Setting& row) { return !row.positional() && row.name != "config"; }

std::set<std::string> command_names() {
  std::set<std::string> names;
  for (const Setting& row : settings_table()) {
    for (const std::string_view command : row.commands) names.emplace(command);
  }
  return names;
}

/// The setting's line of --help, or its lines, with what holds without it.
std::string help_of(const Setting& row) {
  constexpr std::size_t width = 64;
  std::string otherwise = row.otherwise;
  if (otherwise.empty() && !row.toggle() && row.required.empty()) {
    otherwise = in_words(row.value.show(Settings()));
  }
  if (otherwise.empty()) return row.help;
  const std::size_t last_line = row.help.size() - (row.help.rfind('\n') + 1);
  const bool fits = last_line + otherwise.size() + 3 <= width;
  return fmt::format("{}{}[{}]", row.help, fits ? " " : "\n", otherwise);
}

/// Some texts for a setting, and where they stand: nothing for the command line.
struct Given {
  Words words;
  std::string source;
};
using Said = std::map<std::string_view, Given>;  ///< by name of the setting

void read(const Setting& row, const Given& given, Settings& settings) {
  try {
    if (given.words.size() > 1 && !row.value.many && !row.toggle()) {
      fail(ErrorKind::usage, "{} is given {} times: '{}'; it takes one value", row.option(),
           given.words.size(), fmt::join(given.words, "', '"));
    }
    row.value.read(settings, row.option(), given.words);
  } catch (const HintedError& error) {
    if (given.source.empty()) throw;
    throw HintedError(error.kind(), fmt::format("{}: {}", given.source, error.what()),
                      error.hint());
  } catch (const Error& error) {
    if (given.source.empty()) throw;
    throw Error(error.kind(), fmt::format("{}: {}", given.source, error.what()));
  }
}

Said from_command_line(const CLI::App& command) {
  Said said;
  for (const Setting* row : settings_of(full_name(command))) {
    const CLI::Option* option = command.get_option(row->option());
    if (option->count() > 0) said[row->name] = {option->results(), {}};
  }
  return said;
}

void add_environment(const std::vector<const Setting*>& rows, Said& said) {
  for (const Setting* row : rows) {
    if (row->positional() || said.contains(row->name)) continue;
    const std::string name = environment_name(row->name);
    const char* value = std::getenv(name.c_str());
    if (value != nullptr && *value != '\0') said[row->name] = {{value}, name};
  }
}

/// A variable that looks like a setting and is none may be a typing error; it is no reason to stop.
void note_unknown_variables() {
  std::vector<std::string> known(other_variables.begin(), other_variables.end());
  for (const Setting& row : settings_table()) {
    if (!row.positional()) known.push_back(environment_name(row.name));
  }
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    const std::string name(variable.substr(0, variable.find('=')));
    if (!name.starts_with("IMPASTO_") || std::ranges::find(known, name) != known.end()) continue;
    const std::string hint = did_you_mean(name, known);
    message("note: the variable {} is no setting{}\n", name, hint.empty() ? "" : "; " + hint);
  }
}

std::string read_text(const std::string& path) {
  constexpr std::size_t most_bytes = 64 << 10U;
  const auto refuse = [&path](std::string_view reason) {
    fail(ErrorKind::usage, "{}: cannot read the configuration: {}", path, reason);
  };
  const FileDescriptor file = open_to_read(path);
  if (!file) refuse(std::strerror(errno));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) refuse("not a regular file");
  std::string text(most_bytes + 1, '\0');
  const auto size = read_all(file, std::as_writable_bytes(std::span(text)));
  if (!size) refuse(std::strerror(errno));
  if (*size > most_bytes) refuse("longer than 64 KiB");
  text.resize(*size);
  return text;
}

/// One value of a configuration file as the command line would have it.
std::string as_word(const toml::node& node, const std::string& place) {
  if (const auto* text = node.as_string()) {
    if (text->get().find('\0') == std::string::npos) return text->get();
    fail(ErrorKind::usage, "{} holds a NUL, which no name of a file has", place);
  }
  if (const auto* whole = node.as_integer()) return fmt::format("{}", whole->get());
  if (const auto* real = node.as_floating_point()) return fmt::format("{}", real->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  fail(ErrorKind::usage, "{} takes a text, a number or true or false", place);
}

/// Reads one table of a configuration file: the top one or a command's section.
class ConfigTable {
 public:
  ConfigTable(const std::string& path, const toml::table& table, std::string command)
      : path_(path), table_(table), command_(std::move(command)) {}

  /// The settings of the table. Sections are left out.
  [[nodiscard]] Said read() const {
    const std::vector<const Setting*> rows = known();
    Said said;
    for (const auto& [key, node] : table_) {
      if (node.is_table()) continue;
      std::string name(key.str());
      std::ranges::replace(name, '_', '-');
      const Setting* row = find_setting(rows, name);
      if (row == nullptr || !configurable(*row)) refuse(std::string(key.str()), name, rows);
      if (said.contains(row->name)) {
        fail(ErrorKind::usage, "{}: '{}' is given twice, with - and with _", path_, row->name);
      }
      said[row->name] = {words(*row, node), path_};
    }
    return said;
  }

 private:
  /// At the top, a setting of any command may stand.
  [[nodiscard]] std::vector<const Setting*> known() const {
    if (!command_.empty()) return settings_of(command_);
    std::vector<const Setting*> rows;
    for (const Setting& row : settings_table()) {
      if (!row.commands.empty()) rows.push_back(&row);
    }
    return rows;
  }

  [[noreturn]] void refuse(const std::string& key, const std::string& name,
                           const std::vector<const Setting*>& rows) const {
    std::vector<std::string> names;
    for (const Setting* row : rows) {
      if (configurable(*row)) names.emplace_back(row->name);
    }
    throw HintedError(ErrorKind::usage,
                      command_.empty()
                          ? fmt::format("{}: unknown setting '{}'", path_, key)
                          : fmt::format("{}: unknown setting '{}' in [{}]", path_, key, command_),
                      did_you_mean(name, names));
  }

  [[nodiscard]] Words words(const Setting& row, const toml::node& node) const {
    const std::string place = fmt::format("{}: {}", path_, row.name);
    const toml::array* array = node.as_array();
    if (array == nullptr) return {as_word(node, place)};
    Words words;
    for (const toml::node& element : *array) words.push_back(as_word(element, place));
    if (row.value.many) return words;
    return {fmt::format("{}", fmt::join(words, ","))};
  }

  const std::string& path_;
  const toml::table& table_;
  std::string command_;  ///< empty: the top
};

/// Every section of a table and, by name, of the sections in it: "weights generate".
void find_sections(const std::string& path, const toml::table& table, const std::string& prefix,
                   std::map<std::string, const toml::table*>& sections) {
  const std::set<std::string> commands = command_names();
  for (const auto& [key, node] : table) {
    const toml::table* section = node.as_table();
    if (section == nullptr) continue;
    const std::string name =
        prefix.empty() ? std::string(key.str()) : prefix + " " + std::string(key.str());
    const bool group = std::ranges::any_of(
        commands, [&](const std::string& command) { return command.starts_with(name + " "); });
    if (!commands.contains(name) && !group) {
      throw HintedError(ErrorKind::usage, fmt::format("{}: no command is called '{}'", path, name),
                        did_you_mean(name, std::vector(commands.begin(), commands.end())));
    }
    sections[name] = section;
    find_sections(path, *section, name, sections);
  }
}

toml::table parse_toml(const std::string& path) {
  const std::string text = read_text(path);
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    fail(ErrorKind::usage, "{}: line {}: {}", path, error.source().begin.line, error.description());
  }
}

void add_config(const std::string& path, const std::string& command, Said& said) {
  const toml::table table = parse_toml(path);
  std::map<std::string, const toml::table*> sections;
  find_sections(path, table, {}, sections);
  Said own;
  for (const auto& [name, section] : sections) {
    Said inside = ConfigTable(path, *section, name).read();
    if (name == command) own = std::move(inside);
  }
  const std::vector<const Setting*> rows = settings_of(command);
  const Said top = ConfigTable(path, table, {}).read();
  for (const Said* part : std::array<const Said*, 2>{&own, &top}) {
    for (const auto& [name, given] : *part) {
      if (find_setting(rows, name) != nullptr) said.try_emplace(name, given);
    }
  }
}

/// The settings of a picture's recipe, below all others.
void add_recipe(const Recipe& recipe, const std::string& path, std::string_view command,
                Said& said) {
  if (const auto preset = said.find("preset"); preset != said.end()) {
    fail(ErrorKind::usage, "--from and {} both say what the settings start from: expected one",
         preset->second.source.empty() ? "--preset" : preset->second.source + " with a preset");
  }
  const std::vector<const Setting*> rows = settings_of(command);
  const auto given = [&said](std::string_view setting) { return said.contains(setting); };
  for (const auto& [name, words] : recipe.words(command, given)) {
    said.try_emplace(find_setting(rows, name)->name,
                     Given{words, fmt::format("the recipe in '{}'", path)});
  }
}

void refuse_missing(const CommandTexts& texts, const std::vector<const Setting*>& rows,
                    const Said& said) {
  std::vector<std::string> missing;
  for (const Setting* row : rows) {
    const auto given = said.find(row->name);
    const bool empty =
        given == said.end() || given->second.words.empty() || given->second.words.front().empty();
    if (empty && !row->required.empty()) missing.push_back(row->required);
  }
  if (missing.empty()) return;
  throw HintedError(ErrorKind::usage,
                    fmt::format("{} needs {}", texts.name, fmt::join(missing, " and ")),
                    "try: " + texts.example);
}

void refuse_second_standard_input(const std::vector<const Setting*>& rows,
                                  const Settings& settings) {
  const Setting* first = nullptr;
  for (const Setting* row : rows) {
    if (!row->value.reads) continue;
    for (const std::string& path : row->value.reads(settings)) {
      if (path != standard_stream) continue;
      if (first != nullptr) {
        fail(ErrorKind::usage, "standard input can be read once: '-' is given for {} and for {}",
             first->option(), row->option());
      }
      first = row;
    }
  }
}

void look_at_files(const std::vector<const Setting*>& rows, const Settings& settings) {
  std::vector<std::string> inputs;
  std::vector<std::string> records;
  std::vector<Output> outputs;
  for (const Setting* row : rows) {
    if (row->value.keeps) {
      for (std::string& folder : row->value.keeps(settings)) records.push_back(std::move(folder));
    }
    if (row->value.reads) {
      for (std::string& path : row->value.reads(settings)) inputs.push_back(std::move(path));
    }
    if (row->value.writes) {
      for (Output& output : row->value.writes(settings)) outputs.push_back(std::move(output));
    }
  }
  refuse_second_standard_input(rows, settings);
  check_files(inputs, records, outputs);
}

void add_options(CLI::App& command, const std::vector<const Setting*>& rows) {
  for (const Setting* row : rows) {
    std::string names = row->option();
    if (!row->letter.empty()) names = fmt::format("-{},{}", row->letter, names);
    CLI::Option* option = nullptr;
    if (row->toggle()) {
      option = command.add_flag_callback(
          names, [] {}, help_of(*row));
    } else {
      option = command.add_option(
          names, [](const CLI::results_t&) { return true; }, help_of(*row));
      option->type_name(row->value.takes)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
      if (row->value.many) {
        option->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args();
      }
    }
    if (!row->group.empty()) option->group(std::string(row->group));
  }
  for (const Setting* row : rows) {
    if (row->needs.empty()) continue;
    command.get_option(row->option())->needs(command.get_option(std::string(row->needs)));
  }
  command.set_help_flag("-h,--help", "show this");  // again, so that it comes last
}

/// Where nobody asks for a preset, the network decides. A file that is no weight file is refused when
/// it is opened.
void choose_preset(const std::vector<const Setting*>& rows, Said& said) {
  const auto weights = said.find("weights");
  if (weights == said.end() || said.contains("preset") || find_setting(rows, "preset") == nullptr) {
    return;
  }
  try {
    const WeightsReader reader(weights->second.words.front());
    said["preset"] = {{std::string(preset_for(reader.header()))}, {}};
  } catch (const Error&) {
    return;
  }
}

Settings read_settings(const CLI::App& app, const CommandTexts& texts) {
  const std::string command = full_name(app);
  const std::vector<const Setting*> rows = settings_of(command);
  Said said = from_command_line(app);
  Settings settings;
  for (const auto& [name, given] : said) settings.asked.emplace(name);
  add_environment(rows, said);
  note_unknown_variables();
  if (const auto config = said.find("config"); config != said.end()) {
    read(*find_setting(rows, "config"), config->second, settings);
    add_config(*settings.config_file, command, said);
  }
  std::optional<Recipe> recipe;
  if (const auto from = said.find("from"); from != said.end()) {
    read(*find_setting(rows, "from"), from->second, settings);
    recipe.emplace(*settings.from);
    add_recipe(*recipe, *settings.from, command, said);
  }
  for (const Setting* row : rows) {
    if (!row->found || said.contains(row->name)) continue;
    if (const std::optional<std::string> found = row->found()) said[row->name] = {{*found}, {}};
  }
  choose_preset(rows, said);
  refuse_missing(texts, rows, said);
  for (const Setting* row : rows) {
    if (const auto given = said.find(row->name); given != said.end()) {
      read(*row, given->second, settings);
      settings.given[std::string(row->name)] = given->second.words;
    }
  }
  look_at_files(rows, settings);
  if (recipe) recipe->require_network(network_of(settings.weights));
  return settings;
}

}  // namespace

void add_command(CLI::App& parent, const CommandTexts& texts,
                 std::function<void(const Settings&)> run) {
  CLI::App* command = parent.add_subcommand(texts.name, texts.summary);
  command->footer(texts.footer);
  add_options(*command, settings_of(full_name(*command)));
  command->callback([command, texts, run = std::move(run)] {
    Settings settings = read_settings(*command, texts);
    suit_to_network(settings);
    run(settings);
  });
}

Settings settings_given(std::string_view command, const WordsByName& given,
                        const std::string& source) {
  const std::vector<const Setting*> rows = settings_of(command);
  for (const auto& [name, words] : given) {
    if (find_setting(rows, name) != nullptr) continue;
    std::vector<std::string> names;
    for (const Setting* row : rows) names.emplace_back(row->name);
    throw HintedError(ErrorKind::usage, fmt::format("{}: unknown setting '{}'", source, name),
                      did_you_mean(name, names));
  }
  Settings settings;
  settings.given = given;
  for (const Setting* row : rows) {
    const auto words = given.find(row->name);
    if (words != given.end()) read(*row, {words->second, source}, settings);
  }
  suit_to_network(settings);
  return settings;
}

std::string full_name(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  if (parent == nullptr) return {};
  const std::string above = full_name(*parent);
  return above.empty() ? command.get_name() : above + " " + command.get_name();
}

}  // namespace impasto::app
