// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "host/batch/item_file.hpp"
#include "host/batch/shard.hpp"

namespace impasto::batch {

using Json = nlohmann::ordered_json;

/// What a run knows of an item.
enum class ItemState : std::uint8_t { missing, done, failed };

/// What is kept of a run, so that it can be finished after whatever interrupts it:
///
///   items.jsonl           every item, never changed
///   run.json              the configuration and the SHA-256 of items.jsonl, never changed;
///                         written last, so that a run has begun where it is there
///   done/ab/cd….json      an item's completion record, named by the SHA-256 of its output's name
///   failed/ab/cd….json    why an item failed, and how often
///   checkpoints/ab/cd….checkpoint   where an item stood that was interrupted
///   lock.I-of-N           held by the process that works on shard I
///
/// All are written atomically. An item is done when its output and then its record are written; one
/// that is interrupted between the two is made again, to the same bytes. Several processes may work
/// on one run, each on its shard.
class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Whether the run has begun.
  [[nodiscard]] bool begun() const;
  /// run.json. Throws ErrorKind::input.
  [[nodiscard]] Json configuration() const;
  /// Unless the run has begun, writes the items, calls `before`, writes run.json; of several
  /// processes that come at once, one does. Throws ErrorKind::output.
  void begin(const ItemFile& items, const Json& configuration,
             const std::function<void()>& before) const;
  /// The items, from the one that begins at `position` on.
  [[nodiscard]] ItemReader items(std::int64_t position = 0) const;
  /// Throws ErrorKind::input where items.jsonl is not what it was when the run began.
  void require_its_items() const;

  [[nodiscard]] ItemState state(const Item& item) const;
  void record_done(const Item& item, const Json& record) const;
  void record_failure(const Item& item, const Json& record) const;
  /// How often the item has failed so far.
  [[nodiscard]] std::int64_t failures(const Item& item) const;
  /// The record of a done or failed item. Throws ErrorKind::input.
  [[nodiscard]] Json record(const Item& item) const;

  /// The file for an item that is interrupted. record_done() removes it.
  [[nodiscard]] std::filesystem::path checkpoint_path(const Item& item) const;

  /// Works on a shard alone for as long as the result lives. Throws ErrorKind::usage where another
  /// process does.
  [[nodiscard]] FileDescriptor lock(const Shard& shard) const;

 private:
  [[nodiscard]] std::filesystem::path record_path(const char* folder, const Item& item,
                                                  const char* extension = ".json") const;

  std::filesystem::path path_;
};

/// Removes what an interrupted AtomicFile left in a folder and those below: temporaries that were
/// last written before `moment`.
void remove_old_temporaries(const std::filesystem::path& folder,
                            std::filesystem::file_time_type moment);

}  // namespace impasto::batch
