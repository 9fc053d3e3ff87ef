// SPDX-License-Identifier: MIT
#include "host/batch/packing.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "host/batch/archives.hpp"
#include "host/core/digest.hpp"
#include "host/core/error.hpp"

namespace impasto::batch {
namespace {

namespace fs = std::filesystem;

/// What is no object becomes part of one.
Json read_companion(std::span<const std::byte> bytes) {
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  Json json = Json::parse(text, text + bytes.size(), nullptr, /*allow_exceptions=*/false);
  if (json.is_object()) return json;
  return {{"json", json.is_discarded() ? Json(std::string(text, bytes.size())) : json}};
}

/// What an archive says of a result.
Json about(const std::string& picture, const Json& record) {
  Json about = {{"content", picture}};
  for (const char* key : {"styles", "height", "width", "iterations", "losses"}) {
    about[key] = record.value(key, Json());
  }
  return about;
}

std::vector<std::byte> read_file(const fs::path& path) {
  std::vector<std::byte> bytes;
  for_each_block(path.string(), [&](std::span<const std::byte> block) {
    bytes.insert(bytes.end(), block.begin(), block.end());
  });
  return bytes;
}

/// Unlike is_there(): a link that leads nowhere is as good as none, and its result is made again.
bool is_found(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// An archive of results on its way.
class Results {
 public:
  explicit Results(const fs::path& archive)
      : parts_(parts_folder(archive)), tar_(archive.string()) {
    if (is_found(archive)) before_.emplace(archive.string());
  }

  /// Adds a file that has been made: as a part or, if it is none any more, in the archive.
  void add(const std::string& name) {
    empty_ = false;
    if (is_found(parts_ / name) || !before_) {
      tar_.add(name, read_file(parts_ / name));
    } else {
      tar_.add(name, *before_, before_->find(name));
    }
  }

  /// Adds what belongs to the picture, and says how the result was made.
  void add_companions(const InArchive& picture, const std::string& result, const Json& record) {
    if (!source_ || source_path_ != picture.archive) {
      source_.emplace(picture.archive);
      source_path_ = picture.archive;
    }
    const Sample& sample = source_->find(key_of(picture.member));
    const std::string stem = fs::path(result).replace_extension().string();
    Json json = Json::object();
    for (const TarMember& companion : sample.companions) {
      const std::string extension = companion.name.substr(sample.key.size());
      if (extension == ".json") {
        json = read_companion(source_->archive().read(companion, Samples::most_json_bytes));
      } else {
        tar_.add(stem + extension, source_->archive(), companion);
      }
    }
    json["impasto"] = about(picture.member, record);
    const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    tar_.add(json_beside(result), std::as_bytes(std::span(text)));
  }

  /// An archive without files is not written.
  void commit() {
    if (!empty_) tar_.commit();
    std::error_code ignored;
    fs::remove_all(parts_, ignored);
  }

 private:
  fs::path parts_;
  TarWriter tar_;
  std::optional<TarReader> before_;
  std::optional<Samples> source_;
  std::string source_path_;
  bool empty_ = true;
};

}  // namespace

ItemState state_of(const RunDirectory& directory, const fs::path& folder, const Item& item) {
  const ItemState state = directory.state(item);
  if (state != ItemState::done || is_found(folder / item.output) || !is_found(folder)) return state;
  const std::string archive = archive_of(item);
  return !archive.empty() && is_found(folder / archive) ? state : ItemState::missing;
}

bool waits_to_be_packed(const fs::path& folder, const Item& item) {
  const std::string archive = archive_of(item);
  return !archive.empty() && is_found(folder / parts_folder(archive));
}

std::string json_beside(const std::string& result) {
  return fs::path(result).replace_extension(".json").string();
}

void Packing::add(const Item& item, std::int64_t position, bool awaited) {
  const std::string name = archive_of(item);
  if (name.empty()) return;
  Archive& archive = archives_.try_emplace(name, Archive{.first = position}).first->second;
  ++archive.items;
  archive.awaited += awaited ? 1 : 0;
}

void Packing::start() const {
  for (const auto& [name, archive] : archives_) {
    if (archive.awaited == 0) pack(name, archive);
  }
}

void Packing::ended(const Item& item) {
  const auto archive = archives_.find(archive_of(item));
  if (archive == archives_.end()) return;
  if (--archive->second.awaited == 0) pack(archive->first, archive->second);
}

void Packing::pack(const std::string& name, const Archive& archive) const {
  if (!is_found(folder_ / parts_folder(name))) return;  // it is packed
  Results results(folder_ / name);
  ItemReader reader = directory_.items(archive.first);
  for (std::int64_t left = archive.items; left > 0;) {
    const std::optional<Item> item = reader.next();
    if (!item) break;
    if (archive_of(*item) != name) continue;
    --left;
    if (directory_.state(*item) != ItemState::done) continue;
    const Json record = directory_.record(*item);
    if (record.value("skipped", false)) return;  // as the run found it
    const auto below_parts = [&](const std::string& file) {
      return fs::path(file).lexically_relative(parts_folder(name)).string();
    };
    for (const std::string& file : writes_(*item)) results.add(below_parts(file));
    results.add_companions(*in_archive(item->content), below_parts(item->output), record);
  }
  results.commit();
}

}  // namespace impasto::batch
