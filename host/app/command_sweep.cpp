// SPDX-License-Identifier: MIT
#include <algorithm>
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/app/batch_items.hpp"
#include "host/app/batch_worker.hpp"
#include "host/app/command_batch.hpp"
#include "host/app/command_score.hpp"
#include "host/app/commands.hpp"
#include "host/app/failure.hpp"
#include "host/app/inputs.hpp"
#include "host/app/sheet.hpp"
#include "host/app/terminal.hpp"
#include "host/app/values.hpp"
#include "host/batch/run_directory.hpp"
#include "host/core/atomic_file.hpp"
#include "host/core/suggest.hpp"
#include "host/image/encode.hpp"

namespace impasto::app {
namespace {

namespace fs = std::filesystem;
using batch::Item;

constexpr auto sweep_examples = R"(Examples:
  impasto sweep photo.jpg starry_night.jpg --axis style-weight=1,10,100 -o sweep
  impasto sweep photo.jpg starry_night.jpg --axis preset=trained,gatys \
    --axis 'style-layers=conv1_1;conv1_1,conv2_1,conv3_1' -o sweep --size 256

A sweep is a batch: the same command again, or 'impasto resume sweep', makes what
is missing. The command itself then makes sheet.png and scores.csv of the results.)";

/// An option and the values that it goes through.
struct Axis {
  std::string name;
  std::vector<std::string> values;
};

std::vector<std::string> possible_axes() {
  std::vector<std::string> names;
  for (const Setting& row : settings_table()) {
    if (row.is_of("sweep") && is_of_picture(row)) names.emplace_back(row.name);
  }
  return names;
}

Axis parse_axis(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos) {
    fail(ErrorKind::usage, "--axis takes NAME=V,..., not '{}'", word);
  }
  Axis axis{word.substr(0, equals), {}};
  const std::vector<std::string> names = possible_axes();
  if (std::ranges::find(names, axis.name) == names.end()) {
    throw HintedError(ErrorKind::usage,
                      fmt::format("--axis {}: '{}' is no option of the picture: expected {}", word,
                                  axis.name, one_of(names)),
                      did_you_mean(axis.name, names));
  }
  const std::string values = word.substr(equals + 1);
  for (const std::string_view value :
       split(values, values.find(';') == std::string::npos ? ',' : ';')) {
    axis.values.emplace_back(value);
  }
  for (auto value = axis.values.begin(); value != axis.values.end(); ++value) {
    if (value->empty()) fail(ErrorKind::usage, "--axis {}: a value is empty", word);
    if (std::find(axis.values.begin(), value, *value) != value) {
      fail(ErrorKind::usage, "--axis {}: the value '{}' is there twice", word, *value);
    }
  }
  return axis;
}

std::vector<Axis> parse_axes(const Settings& settings) {
  std::vector<Axis> axes;
  for (const std::string& word : settings.batch.axes) {
    Axis axis = parse_axis(word);
    if (std::ranges::find(axes, axis.name, &Axis::name) != axes.end()) {
      fail(ErrorKind::usage, "--axis {}: the axis '{}' is there twice", word, axis.name);
    }
    axes.push_back(std::move(axis));
  }
  return axes;
}

/// The same settings as those of a batch, without what each item has of its own.
Settings settings_of_batch(const Settings& settings) {
  WordsByName words = settings.given;
  for (const char* own : {"CONTENT", "STYLE", "axis"}) words.erase(own);
  Settings batch = settings_given("batch", words, "");
  batch.asked = settings.asked;
  return batch;
}

std::string in_place(const std::string& picture) {
  return files_of(picture).empty() ? picture : fs::absolute(picture).string();
}

/// What a picture is called and, with other separators, what is written below it.
std::string spelled(const std::vector<Axis>& axes, const Item& item, std::string_view equals,
                    std::string_view between) {
  std::string text;
  for (const Axis& axis : axes) {
    if (!text.empty()) text += between;
    text += fmt::format("{}{}{}", axis.name, equals, item.options.at(axis.name).front());
  }
  return text;
}

/// Every value of each axis with every value of the others; the last axis goes fastest.
std::vector<Item> product(const Settings& settings, const std::vector<Axis>& axes) {
  std::vector<Item> items = {{.output = "", .content = in_place(settings.content), .styles = {}}};
  for (const std::string& style : settings.styles) {
    items.front().styles.push_back(in_place(style));
  }
  for (const Axis& axis : axes) {
    std::vector<Item> longer;
    for (const Item& item : items) {
      for (const std::string& value : axis.values) {
        longer.push_back(item);
        longer.back().options[axis.name] = {value};
      }
    }
    items = std::move(longer);
  }
  for (Item& item : items) {
    item.output = spelled(axes, item, "=", "_") + ".png";
    std::ranges::replace(item.output, '/', '-');
  }
  return items;
}

/// Says of a value that does not fit which axes it comes from.
void check_values(const Settings& batch, const std::vector<Axis>& axes,
                  const std::vector<Item>& items) {
  for (const Item& item : items) {
    WordsByName words = batch.given;
    for (const auto& [name, given] : item.options) words[name] = given;
    settings_given("batch", words, "--axis " + spelled(axes, item, "=", " --axis "));
  }
}

/// The columns of a picture: its losses, and its measures of quality by name, "held_out_gram.conv1_2".
Json columns_of(const Json& score) {
  Json columns;
  for (const auto& [name, value] : score.items()) {
    if (value.is_number()) columns[name] = value;
  }
  for (const auto& [name, value] : score.at("quality").items()) {
    if (value.is_number()) columns[name] = value;
    if (!value.is_object()) continue;
    for (const auto& [part, number] : value.items()) columns[name + "." + part] = number;
  }
  return columns;
}

Json score_item(const Settings& batch, const Item& item) {
  Settings own = settings_of_item(batch, item);
  own.image = own.output.string();
  own.size.reset();
  own.device = devices_of(batch).front();
  own.quiet = true;
  return columns_of(score_of(own));
}

std::string csv_field(const Json& value) {
  if (!value.is_string()) return value.is_null() ? "" : value.dump();
  const auto& text = value.get_ref<const std::string&>();
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) quoted += letter == '"' ? "\"\"" : std::string(1, letter);
  return quoted + '"';
}

/// A line for each row below one with the names of all columns.
std::string csv(const std::vector<Json>& rows) {
  Json names = Json::object();
  for (const Json& row : rows) {
    for (const auto& [name, value] : row.items()) names[name] = name;
  }
  std::string text;
  const auto add_line = [&](const Json& row) {
    std::string line;
    for (const auto& [name, value] : names.items()) {
      if (!line.empty()) line += ',';
      line += csv_field(row.value(name, Json()));
    }
    text += line + '\n';
  };
  add_line(names);
  for (const Json& row : rows) add_line(row);
  return text;
}

/// The content and the styles in a row of their own.
std::vector<SheetCell> inputs_of_sheet(const Settings& settings, std::size_t columns) {
  std::vector<SheetCell> cells = {{thumbnail(load_picture(settings.content)), "content"}};
  for (const std::string& style : settings.styles) {
    cells.push_back({thumbnail(load_picture(style)), "style"});
  }
  cells.resize((cells.size() + columns - 1) / columns * columns);
  return cells;
}

/// Makes sheet.png, with `cells` first and no larger than the results, and scores.csv. An item that
/// failed has a white place and empty fields.
void compare(const Settings& batch, const std::vector<Axis>& axes, const std::vector<Item>& items,
             std::vector<SheetCell> cells) {
  const batch::RunDirectory run(fs::path(batch.batch.folder.string()) / records_folder);
  const std::size_t inputs = cells.size();
  std::vector<Json> rows;
  for (const Item& item : items) {
    Json row;
    for (const Axis& axis : axes) row[axis.name] = item.options.at(axis.name).front();
    row["output"] = item.output;
    SheetCell cell{{}, printable(spelled(axes, item, " ", ", "))};
    if (run.state(item) == batch::ItemState::done) {
      cell.picture = thumbnail(load_picture(batch.batch.folder.file(item.output).string()));
      row.update(score_item(batch, item));
    }
    cells.push_back(std::move(cell));
    rows.push_back(std::move(row));
  }
  std::int64_t longest = 64;  // where none is done
  for (const SheetCell& cell : std::span(cells).subspan(inputs)) {
    longest = std::max({longest, cell.picture.height, cell.picture.width});
  }
  for (SheetCell& cell : std::span(cells).first(inputs)) {
    cell.picture = thumbnail(cell.picture, longest);
  }
  const std::string table = batch.batch.folder.file("scores.csv").string();
  const std::string sheet = batch.batch.folder.file("sheet.png").string();
  write_atomically(table, csv(rows));
  save_image(make_contact_sheet(cells, axes.back().values.size()), sheet);
  if (!batch.quiet) message("{}\n{}\n", sheet, table);
}

void sweep(const Settings& settings) {
  if (!settings.batch.writes()) {
    fail(ErrorKind::usage, "--output none: a sweep compares its results: expected a folder");
  }
  std::vector<std::string> pictures = settings.styles;
  pictures.push_back(settings.content);
  if (std::ranges::find(pictures, standard_stream) != pictures.end()) {
    fail(ErrorKind::usage,
         "a sweep reads its pictures several times: expected files, not '-', which is standard "
         "input");
  }
  const std::vector<Axis> axes = parse_axes(settings);
  const Settings batch = settings_of_batch(settings);
  const std::vector<Item> items = product(settings, axes);
  check_values(batch, axes, items);
  std::vector<SheetCell> cells = inputs_of_sheet(settings, axes.back().values.size());
  const batch::ItemFile list = list_items(batch, [&](const batch::VisitItem& visit) {
    for (const Item& item : items) visit(item);
  });
  std::exception_ptr failed;
  try {
    run_batch(batch, list);
  } catch (const Error& error) {
    // Some items; the others can be compared.
    if (error.kind() != ErrorKind::input) throw;
    failed = std::current_exception();
  }
  if (batch.dry_run) return;
  compare(batch, axes, items, std::move(cells));
  if (failed) std::rethrow_exception(failed);
}

}  // namespace

void add_sweep_command(CLI::App& program) {
  add_command(program,
              {.name = "sweep",
               .summary = "Paint one picture with each combination of values, and compare",
               .example = "impasto sweep photo.jpg style.jpg --axis style-weight=1,10 -o results",
               .footer = sweep_examples},
              sweep);
}

}  // namespace impasto::app
