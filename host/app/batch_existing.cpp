// SPDX-License-Identifier: MIT
#include "host/app/batch_existing.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sys/stat.h>
#include <utility>

#include "host/app/batch_items.hpp"
#include "host/app/failure.hpp"
#include "host/batch/archives.hpp"
#include "host/core/paths.hpp"

namespace impasto::app {
namespace {

namespace fs = std::filesystem;
using batch::ItemFile;
using batch::ItemReader;
using batch::RunDirectory;

/// A file whatever it is called.
using FileId = std::pair<dev_t, ino_t>;

std::optional<FileId> file_id(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

/// Whether an item counts as done because its result is there already.
bool is_skipped(const Settings& settings, const batch::Item& item) {
  const std::string archive = batch::archive_of(item);
  return settings.batch.if_exists == "skip" &&
         is_there(settings.batch.folder.file(archive.empty() ? item.output : archive).string());
}

/// What an item will write, or become part of.
std::vector<std::string> results_of(const Settings& settings, const batch::Item& item) {
  std::vector<std::string> files = files_of_item(settings, item);
  const std::string archive = batch::archive_of(item);
  if (!archive.empty()) files.push_back(settings.batch.folder.file(archive).string());
  return files;
}

/// Throws ErrorKind::usage where an output would be written over an input.
void refuse_overwritten_inputs(const Settings& settings, const ItemFile& items) {
  std::set<FileId> outputs;
  ItemReader reader = items.read();
  while (const auto item = reader.next()) {
    if (is_skipped(settings, *item)) continue;
    for (const std::string& file : results_of(settings, *item)) {
      if (const auto id = file_id(file)) outputs.insert(*id);
    }
  }
  const auto check_input = [&](const std::string& name) {
    const auto picture = batch::in_archive(name);
    const std::string& path = picture ? picture->archive : name;
    const auto id = file_id(path);
    if (id && outputs.contains(*id)) {
      fail(ErrorKind::usage, "{}: would be overwritten, but it is an input", path);
    }
  };
  const auto check_inputs = [&](const Settings& of) {
    for (const Setting& row : settings_table()) {
      if (!row.is_of("batch") || !row.value.reads) continue;
      for (const std::string& file : row.value.reads(of)) check_input(file);
    }
  };
  check_inputs(settings);
  ItemReader again = items.read();
  while (const auto item = again.next()) {
    check_input(item->content);
    for (const std::string& style : item->styles) check_input(style);
    if (!item->options.empty()) check_inputs(settings_of_item(settings, *item));
  }
}

}  // namespace

void check_existing(const Settings& settings, const ItemFile& items) {
  if (settings.batch.if_exists != "error") return refuse_overwritten_inputs(settings, items);
  std::int64_t count = 0;
  std::string first;
  ItemReader reader = items.read();
  while (const auto item = reader.next()) {
    for (const std::string& file : results_of(settings, *item)) {
      if (is_there(file) && count++ == 0) first = file;
    }
  }
  if (count == 0) return;
  throw HintedError(ErrorKind::usage,
                    fmt::format("{} of the results are there already, {} for one", count, first),
                    "--if-exists skip keeps them, --if-exists overwrite makes them again");
}

void record_existing(const Settings& settings, const RunDirectory& directory,
                     const ItemFile& items) {
  ItemReader reader = items.read();
  while (const auto item = reader.next()) {
    if (!is_skipped(settings, *item)) continue;
    directory.record_done(*item, {{"output", item->output}, {"skipped", true}});
  }
}

}  // namespace impasto::app
