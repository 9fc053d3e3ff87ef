// SPDX-License-Identifier: MIT
#include "host/app/batch_items.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "host/app/describe.hpp"
#include "host/app/failure.hpp"
#include "host/app/idle.hpp"
#include "host/app/inputs.hpp"
#include "host/batch/archives.hpp"
#include "host/batch/packing.hpp"
#include "host/core/digest.hpp"
#include "host/core/file_descriptor.hpp"

namespace impasto::app {
namespace {

namespace fs = std::filesystem;

const Setting* row_of(std::string_view name, std::string_view command) {
  for (const Setting& row : settings_table()) {
    if (row.name == name && row.is_of(command)) return &row;
  }
  return nullptr;
}

/// Whether a run keeps to what it began with.
bool is_of_run(const Setting& row) {
  if (row.name == "config" || row.is_of("resume")) return false;
  constexpr std::array<std::string_view, 4> more = {"sheets", "reports", "films", "save-every"};
  const bool more_files = std::ranges::count(more, row.name) > 0;
  return is_of_picture(row) || row.group == machine_group || more_files;
}

void refuse_other_options(const batch::Item& item) {
  for (const auto& [name, words] : item.options) {
    const Setting* row = row_of(name, "batch");
    if (row == nullptr || !is_of_picture(*row)) {
      fail(ErrorKind::usage, "{}: a row of the manifest cannot set '{}'", item.content, name);
    }
  }
}

/// Makes the names of files among a setting's words absolute.
void make_absolute(const Setting& row, const Settings& settings, const fs::path& folder,
                   Words& words) {
  if (!row.value.reads) return;
  for (const std::string& file : row.value.reads(settings)) {
    for (std::string& word : words) {
      if (word == file) word = fs::absolute(folder / file).string();
    }
  }
}

/// Files that a row of the manifest names are found where its pictures are: in the manifest's folder.
void find_files_of_row(const fs::path& folder, batch::Item& item) {
  for (auto& [name, words] : item.options) {
    const Setting& row = *row_of(name, "batch");
    if (!row.value.reads) continue;
    Settings alone;
    row.value.read(alone, row.option(), words);
    make_absolute(row, alone, folder, words);
  }
}

/// An item as it is listed: what its row names is checked, and its files have whole names. Returns its settings.
Settings take(const Settings& settings, const VggLayers& layers, batch::Item& item) {
  if (!item.options.empty()) {
    refuse_other_options(item);
    find_files_of_row(fs::path(settings.batch.manifest.value_or("")).parent_path(), item);
  }
  Settings own = settings_of_item(settings, item);
  if (!item.options.empty()) {
    check(own.config.objective, layers);
    require_files(own);
  }
  require_fit(own);
  return own;
}

void say_unused(const Settings& settings, std::string_view option, std::string_view own) {
  if (!settings.asked.contains(option)) return;
  say_note(settings, fmt::format("--{} changes nothing: each picture has its own {}", option, own));
}

}  // namespace

bool is_of_picture(const Setting& row) {
  return row.group == objective_group || row.group == run_group;
}

void require_files(const Settings& settings) {
  for (const Setting& row : settings_table()) {
    if (!row.is_of("batch") || !is_of_picture(row) || !row.value.reads) continue;
    for (const std::string& file : row.value.reads(settings)) {
      if (!open_to_read(file)) {
        fail(ErrorKind::input, "cannot read '{}' for {}: {}", file, row.option(),
             std::generic_category().message(errno));
      }
    }
  }
}

batch::ItemFile list_items(const Settings& settings) {
  const BatchSettings& asked = settings.batch;
  batch::Needed needed;
  batch::ItemFile items = list_items(settings, [&](const batch::VisitItem& visit) {
    needed = batch::visit_items({.contents = asked.contents,
                                 .list = asked.list,
                                 .manifest = asked.manifest,
                                 .styles = settings.styles,
                                 .styles_per_image = asked.styles_per_image,
                                 .seed = settings.config.seed,
                                 .name = asked.name,
                                 .folder = asked.writes() ? asked.folder.string() : ""},
                                visit);
  });
  if (items.count() == 0) {
    throw HintedError(ErrorKind::usage, "batch needs a content picture",
                      "try: impasto batch photos --styles paintings -o results");
  }
  if (!needed.styles) say_unused(settings, "styles", "styles");
  if (!needed.styles) say_unused(settings, "styles-per-image", "styles");
  if (!needed.name) say_unused(settings, "name", "output");
  return items;
}

batch::ItemFile list_items(const Settings& settings,
                           const std::function<void(const batch::VisitItem&)>& visit_all) {
  const VggLayers& layers = network_layers(settings);
  check(settings.config.objective, layers);
  require_files(settings);
  require_initial(settings);
  batch::ItemFile items([&settings](const batch::Item& item) {
    std::vector<std::string> names = names_of_item(settings, item);
    if (!archive_of(item).empty()) names.push_back(batch::json_beside(item.output));
    return names;
  });
  IdleOptions idle;
  std::set<std::string, std::less<>> replaced = settings.asked;  // by each item
  visit_all([&](batch::Item item) {
    idle.look_at(take(settings, layers, item));
    std::erase_if(replaced, [&](const auto& name) { return !item.options.contains(name); });
    items.add(item);
  });
  items.finish();
  for (const std::string& note : idle.notes()) say_note(settings, note);
  if (items.count() == 0) return items;
  if (settings.batch.styles_per_image) replaced.erase("seed");  // it draws styles
  for (const std::string& name : replaced) {
    if (!idle.contains(name)) say_unused(settings, name, "value");
  }
  return items;
}

Settings settings_of_item(const Settings& settings, const batch::Item& item) {
  Settings own = settings;
  if (!item.options.empty()) {
    WordsByName words = settings.given;
    for (const auto& [name, given] : item.options) words[name] = given;
    own = settings_given("batch", words, item.content);
    own.asked = settings.asked;
    for (const auto& [name, given] : item.options) own.asked.insert(name);
  }
  own.content = item.content;
  own.styles = item.styles;
  if (settings.batch.writes() && !item.output.empty())
    own.output = settings.batch.folder.file(item.output);
  return own;
}

std::vector<std::string> files_of_item(const Settings& settings, const batch::Item& item) {
  const OutputPath output = settings.batch.folder.file(item.output);
  std::vector<std::string> files = {output.string()};
  if (settings.batch.sheets) files.push_back(output.sheet().string());
  if (settings.batch.reports) files.push_back(output.report().string());
  if (settings.batch.films) files.push_back(output.film().string());
  if (!settings.save_every) return files;
  const std::int64_t iterations = settings_of_item(settings, item).config.iterations;
  for (std::int64_t k = *settings.save_every; k < iterations; k += *settings.save_every) {
    files.push_back(output.snapshot(k, iterations).string());
  }
  return files;
}

std::vector<std::string> names_of_item(const Settings& settings, const batch::Item& item) {
  std::vector<std::string> names = files_of_item(settings, item);
  const fs::path folder = settings.batch.folder.string();
  for (std::string& name : names) name = fs::path(name).lexically_relative(folder).string();
  return names;
}

WordsByName lasting_words(const Settings& settings) {
  WordsByName words;
  for (const auto& [name, given] : settings.given) {
    const Setting* row = row_of(name, "batch");
    if (!is_of_run(*row)) continue;
    words[name] = given;
    make_absolute(*row, settings, {}, words[name]);
  }
  return words;
}

Json batch_configuration(const Settings& settings, const batch::ItemFile& items,
                         std::uint64_t shards) {
  Json words = Json::object();
  for (const auto& [name, given] : lasting_words(settings)) words[name] = given;
  return {{"impasto", describe_versions()["impasto"]},
          {"folder", fs::absolute(settings.batch.folder.string()).lexically_normal().string()},
          {"shards", shards},
          {"items", {{"count", items.count()}, {"sha256", items.sha256()}}},
          {"weights_sha256", settings.weights ? Json(sha256_file(*settings.weights)) : Json()},
          {"settings", words}};
}

std::string difference_of(const Json& begun, const Json& asked) {
  if (begun == asked) return {};
  const Json before = begun.flatten();
  const Json now = asked.flatten();
  std::string difference = "it has another number of settings";
  for (const Json* side : {&before, &now}) {
    for (const auto& [key, value] : side->items()) {
      const Json was = before.value(key, Json());
      const Json is = now.value(key, Json());
      if (was == is) continue;
      difference = key == "/items/sha256"
                       ? "it has other pictures or names"
                       : fmt::format("{} was {} and is {}", key.substr(1), was.dump(), is.dump());
    }
  }
  return difference;
}

void require_same_configuration(const std::string& directory, const Json& begun,
                                const Json& asked) {
  const std::string difference = difference_of(begun, asked);
  if (difference.empty()) return;
  throw HintedError(
      ErrorKind::usage,
      fmt::format("{}: a run of another configuration has begun here: {}", directory, difference),
      "'impasto resume' goes on with that run; another -o or --run FOLDER begins a new one");
}

Settings settings_of_run(const Json& configuration, const Settings& resume) {
  WordsByName words;
  try {
    words = configuration.at("settings").get<WordsByName>();
    words["output"] = {configuration.at("folder").get<std::string>()};
  } catch (const Json::exception&) {
    fail(ErrorKind::input, "{}: its run.json is not that of a batch", resume.batch.directory);
  }
  for (const auto& [name, given] : resume.given) {
    if (row_of(name, "batch") != nullptr) words[name] = given;
  }
  Settings settings = settings_given("batch", words, "run.json");
  settings.batch.directory = resume.batch.directory;
  return settings;
}

}  // namespace impasto::app
