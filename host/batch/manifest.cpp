// SPDX-License-Identifier: MIT
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "host/batch/sources.hpp"
#include "host/batch/text_file.hpp"
#include "host/core/error.hpp"

namespace impasto::batch {

using Json = nlohmann::ordered_json;

namespace {

namespace fs = std::filesystem;

/// One row of a manifest: its columns by name, each a list of texts.
using Row = std::vector<std::pair<std::string, std::vector<std::string>>>;

[[noreturn]] void refuse(const TextFile& file, std::string_view reason) {
  fail(ErrorKind::input, "{}: line {}: {}", file.name(), file.line(), reason);
}

/// A column by its one name: "style-weight" for "style_weight", "styles" for "style".
std::string column_name(std::string column) {
  std::ranges::replace(column, '_', '-');
  return column == "style" ? "styles" : column;
}

/// A path of a row is relative to the manifest's folder.
std::string path_of(const TextFile& file, const std::string& path) {
  if (path.find('\0') != std::string::npos) refuse(file, "a name holds a NUL");
  if (path.starts_with("sample:") || fs::path(path).is_absolute()) return path;
  const fs::path folder =
      file.name() == "standard input" ? fs::path() : fs::path(file.name()).parent_path();
  return fs::absolute(folder / path).string();
}

Source source_of_row(const TextFile& file, const Row& row) {
  Source source;
  for (const auto& [name, texts] : row) {
    if (texts.empty()) continue;
    if (name == "styles") {
      for (const std::string& text : texts) source.styles.push_back(path_of(file, text));
    } else if (name == "content" || name == "id" || name == "output") {
      if (texts.size() != 1) refuse(file, fmt::format("'{}' takes one text", name));
      (name == "content" ? source.path : name == "id" ? source.id : source.output) = texts.front();
    } else {
      source.options[name] = texts;
    }
  }
  if (source.path.empty()) refuse(file, "a row needs a 'content'");
  source.path = path_of(file, source.path);
  if (source.id.empty()) source.id = fs::path(source.path).filename().string();
  return source;
}

// JSON lines.

std::string text_of(const TextFile& file, const std::string& key, const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return value.dump();
  refuse(file, fmt::format("'{}' is neither a text nor a number nor true or false", key));
}

Row row_of_json(const TextFile& file, const std::string& line) {
  std::set<std::string> names;
  // The parser would keep the last of two, whoever wrote the row may have meant the first.
  const auto refuse_twice = [&](int depth, Json::parse_event_t event, const Json& parsed) {
    if (event != Json::parse_event_t::key || depth != 1) return true;
    const auto& key = parsed.get_ref<const std::string&>();
    if (!names.insert(column_name(key)).second) {
      refuse(file, fmt::format("the key '{}' is there twice", key));
    }
    return true;
  };
  const Json json = Json::parse(line, refuse_twice, /*allow_exceptions=*/false);
  if (!json.is_object()) refuse(file, "expected an object as JSON");
  Row row;
  for (const auto& [key, value] : json.items()) {
    std::vector<std::string> texts;
    if (value.is_array()) {
      if (value.empty()) refuse(file, fmt::format("'{}' is an empty list", key));
      for (const Json& one : value) texts.push_back(text_of(file, key, one));
    } else if (!value.is_null()) {
      texts.push_back(text_of(file, key, value));
    }
    row.emplace_back(column_name(key), std::move(texts));
  }
  return row;
}

// CSV.

/// The fields of the next record, which may go on over several lines; empty at the end.
std::vector<std::string> next_record(TextFile& file) {
  auto line = file.next('\n');
  while (line && (line->empty() || *line == "\r")) line = file.next('\n');
  if (!line) return {};
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0;; ++i) {
    if (i == line->size()) {
      if (!quoted) break;
      line = file.next('\n');
      if (!line) refuse(file, "a quoted field does not end");
      fields.back() += '\n';
      i = static_cast<std::size_t>(-1);
      continue;
    }
    const char letter = (*line)[i];
    if (quoted) {
      if (letter != '"') {
        fields.back() += letter;
      } else if (i + 1 < line->size() && (*line)[i + 1] == '"') {
        fields.back() += '"';
        ++i;
      } else {
        quoted = false;
      }
    } else if (letter == '"') {
      quoted = true;
    } else if (letter == ',') {
      fields.emplace_back();
    } else if (letter != '\r' || i + 1 < line->size()) {
      fields.back() += letter;
    }
  }
  return fields;
}

/// Several pictures in one field are parted by semicolons.
std::vector<std::string> parted(const std::string& field) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= field.size();) {
    const std::size_t end = std::min(field.find(';', begin), field.size());
    if (end > begin) parts.push_back(field.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

void visit_csv(TextFile& file, const VisitSource& visit) {
  std::vector<std::string> header = next_record(file);
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (!header.empty() && header.front().starts_with(byte_order_mark)) {
    header.front().erase(0, byte_order_mark.size());
  }
  std::set<std::string> names;
  for (std::string& column : header) {
    if (!names.insert(column_name(column)).second) {
      refuse(file, fmt::format("there are two columns '{}'", column));
    }
    column = column_name(column);
  }
  for (;;) {
    const std::vector<std::string> fields = next_record(file);
    if (fields.empty()) return;
    if (fields.size() != header.size()) {
      refuse(file, fmt::format("expected {} fields, found {}", header.size(), fields.size()));
    }
    Row row;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const bool pictures =
          header[i] == "styles" || header[i] == "mask" || header[i] == "style-mask";
      std::vector<std::string> texts = pictures ? parted(fields[i]) : std::vector{fields[i]};
      if (!fields[i].empty()) row.emplace_back(header[i], std::move(texts));
    }
    visit(source_of_row(file, row));
  }
}

}  // namespace

void visit_manifest(const std::string& path, const VisitSource& visit) {
  TextFile file(path);
  if (fs::path(path).extension() == ".csv") return visit_csv(file, visit);
  while (const auto line = file.next('\n')) {
    if (line->find_first_not_of(" \t\r") == std::string::npos) continue;
    visit(source_of_row(file, row_of_json(file, *line)));
  }
}

}  // namespace impasto::batch
