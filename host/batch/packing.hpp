// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "host/batch/item.hpp"
#include "host/batch/run_directory.hpp"

namespace impasto::batch {

/// What has become of an item whose result goes into `folder`: as the run's records say, but one whose
/// result is not there any more is missing. Where the folder itself is not there, the records count.
ItemState state_of(const RunDirectory& directory, const std::filesystem::path& folder,
                   const Item& item);

/// Whether results of the item's archive have been made and are not in it yet.
bool waits_to_be_packed(const std::filesystem::path& folder, const Item& item);

/// The JSON file that goes with a result in an archive: "x_red.json" for "x_red.jpg".
std::string json_beside(const std::string& result);

/// Makes archives of results: one of each archive that was read, once its last item has ended. What
/// belongs to a picture follows its result, and the JSON file gets a section "impasto".
///
/// An archive is written from its parts, which then are removed, and from the archive that is there
/// already, where failed items have been tried again. So nothing is lost whenever a kill comes.
/// Holds a few numbers for each archive.
class Packing {
 public:
  /// The files that an item writes, relative to the output folder.
  using Writes = std::function<std::vector<std::string>(const Item&)>;

  Packing(const RunDirectory& directory, std::filesystem::path folder, Writes writes)
      : directory_(directory), folder_(std::move(folder)), writes_(std::move(writes)) {}

  /// An item of the run, which stands at `position` in its list; `awaited`: it is to be made.
  void add(const Item& item, std::int64_t position, bool awaited);
  /// Packs what is complete now that all items are added. Throws ErrorKind::output, ErrorKind::input.
  void start() const;
  /// An awaited item has been made or given up. Throws as start() does.
  void ended(const Item& item);

 private:
  struct Archive {
    std::int64_t first = 0;    ///< where its first item stands
    std::int64_t items = 0;    ///< how many it has
    std::int64_t awaited = 0;  ///< and how many of them are to be made
  };
  void pack(const std::string& name, const Archive& archive) const;

  const RunDirectory& directory_;
  std::filesystem::path folder_;
  Writes writes_;
  std::map<std::string, Archive, std::less<>> archives_;
};

}  // namespace impasto::batch
