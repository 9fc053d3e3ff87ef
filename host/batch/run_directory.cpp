// SPDX-License-Identifier: MIT
#include "host/batch/run_directory.hpp"

#include <cerrno>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <span>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <vector>

#include "host/core/atomic_file.hpp"
#include "host/core/error.hpp"
#include "host/core/paths.hpp"

namespace impasto::batch {
namespace {

namespace fs = std::filesystem;

void write_json(const fs::path& path, const Json& json) {
  make_folder(path.parent_path());
  write_atomically(path.string(), json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

Json read_json(const fs::path& path) {
  std::string text;
  for_each_block(path.string(), [&](std::span<const std::byte> bytes) {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) fail(ErrorKind::input, "{}: expected an object as JSON", path.string());
  return json;
}

FileDescriptor open_lock(const fs::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!file) fail_to_write(path.string(), errno);
  return file;
}

}  // namespace

bool RunDirectory::begun() const {
  std::error_code ignored;
  return fs::exists(path_ / "run.json", ignored);
}

Json RunDirectory::configuration() const { return read_json(path_ / "run.json"); }

void RunDirectory::begin(const ItemFile& items, const Json& configuration,
                         const std::function<void()>& before) const {
  make_folder(path_);
  const FileDescriptor lock = open_lock(path_ / "lock.begin");
  static_cast<void>(::flock(lock.get(), LOCK_EX));
  if (begun()) return;
  items.save((path_ / "items.jsonl").string());
  before();
  write_json(path_ / "run.json", configuration);
}

ItemReader RunDirectory::items(std::int64_t position) const {
  ItemReader reader((path_ / "items.jsonl").string());
  reader.go_to(position);
  return reader;
}

void RunDirectory::require_its_items() const {
  const std::string path = (path_ / "items.jsonl").string();
  const Json configuration = this->configuration();
  const auto items = configuration.find("items");
  const bool known = items != configuration.end() && items->contains("sha256");
  if (known && (*items)["sha256"] == sha256_file(path)) return;
  fail(ErrorKind::input, "{}: it is not what it was when the run began", path);
}

fs::path RunDirectory::record_path(const char* folder, const Item& item,
                                   const char* extension) const {
  constexpr std::size_t digits = 32;
  const std::string name = sha256(std::as_bytes(std::span(item.output))).substr(0, digits);
  return path_ / folder / name.substr(0, 2) / (name.substr(2) + extension);
}

ItemState RunDirectory::state(const Item& item) const {
  std::error_code ignored;
  if (fs::exists(record_path("done", item), ignored)) return ItemState::done;
  if (fs::exists(record_path("failed", item), ignored)) return ItemState::failed;
  return ItemState::missing;
}

void RunDirectory::record_done(const Item& item, const Json& record) const {
  write_json(record_path("done", item), record);
  std::error_code ignored;
  fs::remove(record_path("failed", item), ignored);
  fs::remove(checkpoint_path(item), ignored);
}

fs::path RunDirectory::checkpoint_path(const Item& item) const {
  return record_path("checkpoints", item, ".checkpoint");
}

void RunDirectory::record_failure(const Item& item, const Json& record) const {
  write_json(record_path("failed", item), record);
}

std::int64_t RunDirectory::failures(const Item& item) const {
  const fs::path path = record_path("failed", item);
  std::error_code ignored;
  return fs::exists(path, ignored) ? read_json(path).value("attempts", std::int64_t{0}) : 0;
}

Json RunDirectory::record(const Item& item) const {
  return read_json(record_path(state(item) == ItemState::failed ? "failed" : "done", item));
}

FileDescriptor RunDirectory::lock(const Shard& shard) const {
  FileDescriptor file = open_lock(path_ / fmt::format("lock.{}-of-{}", shard.index, shard.count));
  // Some file systems have no locks; there, processes are not kept apart.
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    fail(ErrorKind::usage, "{}: another process is working on this run", path_.string());
  }
  return file;
}

void remove_old_temporaries(const fs::path& folder, fs::file_time_type moment) {
  std::error_code error;
  std::vector<fs::path> old;
  const auto end = fs::recursive_directory_iterator();
  for (auto entry = fs::recursive_directory_iterator(
           folder, fs::directory_options::skip_permission_denied, error);
       !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (is_temporary_name(entry->path().filename().string()) && entry->is_regular_file(ignored) &&
        entry->last_write_time(ignored) < moment) {
      old.push_back(entry->path());
    }
  }
  for (const fs::path& path : old) fs::remove(path, error);
}

}  // namespace impasto::batch
