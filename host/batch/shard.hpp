// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "host/batch/item.hpp"

namespace impasto::batch {

/// A part of the items: those whose hash is `index` modulo `count`. A task that is started again
/// finds its own items again.
struct Shard {
  std::uint64_t index = 0;
  std::uint64_t count = 1;

  [[nodiscard]] bool holds(const Item& item) const {
    return stable_hash(item.output) % count == index;
  }
};

/// The shard that a text means: all items for an empty one, "2/8" with the first as 0, or for "auto"
/// what the scheduler's variables say. `fixed` is the number of shards that a run has begun with:
/// a scheduler that starts a few tasks again counts only those. Throws ErrorKind::usage.
Shard find_shard(const std::string& text, std::optional<std::uint64_t> fixed);

}  // namespace impasto::batch
