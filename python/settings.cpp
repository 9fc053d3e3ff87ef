// SPDX-License-Identifier: MIT
#include "python/settings.hpp"

#include <algorithm>
#include <array>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "host/app/describe.hpp"
#include "host/app/failure.hpp"
#include "host/core/suggest.hpp"

namespace impasto::python {
namespace {

/// What a session is opened with. The commands of the command line take these as well; with one device, as
/// score does.
constexpr std::array<std::string_view, 4> session_settings = {"weights", "device", "precision",
                                                              "no-plan-cache"};

bool takes(std::string_view taker, const app::Setting& row) {
  const bool of_session = std::ranges::find(session_settings, row.name) != session_settings.end();
  if (taker == "session") {
    return of_session && std::ranges::find(row.commands, "score") != row.commands.end();
  }
  const bool of_command = std::ranges::find(row.commands, taker) != row.commands.end();
  // Arrays have their own type, and are sRGB.
  const bool of_a_file = row.name == "depth" || row.name == "keep-profile";
  return of_command && row.recorded && !of_session && !of_a_file;
}

std::vector<const app::Setting*> settings_of(std::string_view taker) {
  std::vector<const app::Setting*> rows;
  for (const app::Setting& row : app::settings_table()) {
    if (takes(taker, row)) rows.push_back(&row);
  }
  return rows;
}

}  // namespace

app::Settings read_settings(const std::string& taker, const nb::dict& given, const Engine* engine) {
  const std::vector<const app::Setting*> rows = settings_of(taker);
  std::vector<std::string> names;
  for (const app::Setting* row : rows) names.push_back(row->key());
  for (const auto& [key, value] : given) {
    const auto name = nb::cast<std::string>(key);
    if (std::ranges::find(names, name) != names.end()) continue;
    throw app::HintedError(ErrorKind::usage, fmt::format("{} has no setting '{}'", taker, name),
                           did_you_mean(name, names));
  }
  // In the table's order: a preset replaces what the settings after it start from.
  app::Settings settings;
  if (engine != nullptr) settings.config = preset(preset_for(engine->network()));
  for (const app::Setting* row : rows) {
    const nb::str key(row->key().c_str());
    if (given.contains(key)) {
      row->value.read(settings, row->key(), nb::cast<app::Words>(given[key]));
    } else if (const auto found = row->found ? row->found() : std::nullopt) {
      row->value.read(settings, row->key(), {*found});
    }
  }
  if (engine != nullptr && !settings.pooling_given) {
    settings.config.objective.pool = pool_for(engine->network(), settings.config);
  }
  return settings;
}

EngineOptions engine_options(const app::Settings& settings) {
  return {.backend = settings.device,
          .precision = parse_precision(settings.precision),
          .weights = settings.weights,
          .device = {.tuning = settings.no_plan_cache ? Tuning::off : Tuning::cached}};
}

nb::list list_settings(const std::string& taker) {
  nb::list list;
  for (const app::Setting* row : settings_of(taker)) {
    nb::dict entry;
    std::string help = row->help;
    std::ranges::replace(help, '\n', ' ');
    entry["name"] = row->key();
    entry["takes"] = row->value.takes;
    entry["many"] = row->value.many;
    entry["default"] =
        row->otherwise.empty() ? app::in_words(row->value.show(app::Settings())) : row->otherwise;
    entry["help"] = help;
    list.append(entry);
  }
  return list;
}

nb::object to_python(const app::Json& json) {
  return nb::module_::import_("json").attr("loads")(app::dump(json));
}

}  // namespace impasto::python
