// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "host/batch/item.hpp"

namespace impasto::batch {

/// The shard, of so many, that an item belongs to: by the hash of its output or, for all items of an
/// archive, by that of the archive's.
std::uint64_t shard_of(const Item& item, std::uint64_t count);

/// A part of the items: those whose shard is `index` of `count`. A task that is started again finds
/// its own items again.
struct Shard {
  std::uint64_t index = 0;
  std::uint64_t count = 1;

  [[nodiscard]] bool holds(const Item& item) const { return shard_of(item, count) == index; }
};

/// The shard that a text means: all items for an empty one, "2/8" with the first as 0, or for "auto"
/// what the scheduler's variables say. `fixed` is the number of shards that a run has begun with:
/// a scheduler that starts a few tasks again counts only those. Throws ErrorKind::usage.
Shard find_shard(const std::string& text, std::optional<std::uint64_t> fixed);

}  // namespace impasto::batch
