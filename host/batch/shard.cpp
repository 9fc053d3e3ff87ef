// SPDX-License-Identifier: MIT
#include "host/batch/shard.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "host/batch/archives.hpp"
#include "host/core/error.hpp"

namespace impasto::batch {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : number(value);
}

/// Where a process stands among its like, and how many those are if anybody says so.
struct Place {
  std::uint64_t index;
  std::optional<std::uint64_t> count;
};

/// Of a Slurm array, whose indices follow one another.
std::optional<Place> place_in_array(std::optional<std::uint64_t> fixed) {
  const auto task = variable("SLURM_ARRAY_TASK_ID");
  if (!task) return std::nullopt;
  const auto count = variable("SLURM_ARRAY_TASK_COUNT");
  const auto lowest = variable("SLURM_ARRAY_TASK_MIN");
  const auto highest = variable("SLURM_ARRAY_TASK_MAX");
  if (!fixed && count && lowest && highest && *highest - *lowest + 1 != *count) {
    fail(ErrorKind::usage, "--shard auto: the indices of the array must follow one another: 0-{}",
         *count - 1);
  }
  return Place{*task, count};
}

std::optional<Place> place_among_tasks() {
  const auto process = variable("SLURM_PROCID");
  const auto count = variable("SLURM_NTASKS");
  if (!process || !count || *count < 2) return std::nullopt;
  return Place{*process, count};
}

/// Of a job array whose jobs have several tasks each, or of either alone.
std::optional<Place> scheduled_place(std::optional<std::uint64_t> fixed) {
  const auto array = place_in_array(fixed);
  const auto task = place_among_tasks();
  if (array && task) {
    return Place{array->index * *task->count + task->index,
                 array->count ? std::optional(*array->count * *task->count) : std::nullopt};
  }
  if (array) return array;
  if (task) return task;
  if (const auto index = variable("JOB_COMPLETION_INDEX")) return Place{*index, std::nullopt};
  return std::nullopt;
}

Shard automatic_shard(std::optional<std::uint64_t> fixed) {
  const auto place = scheduled_place(fixed);
  if (!place) {
    fail(ErrorKind::usage,
         "--shard auto: there is no SLURM_ARRAY_TASK_ID, SLURM_PROCID or JOB_COMPLETION_INDEX");
  }
  const auto count = fixed ? fixed : place->count;
  if (!count || *count == 0) {
    fail(ErrorKind::usage, "--shard auto: nothing says how many shards there are; say {}/N",
         place->index);
  }
  // An array may count from 1.
  return {place->index % *count, *count};
}

}  // namespace

std::uint64_t shard_of(const Item& item, std::uint64_t count) {
  const std::string archive = archive_of(item);
  return stable_hash(archive.empty() ? item.output : archive) % count;
}

Shard find_shard(const std::string& text, std::optional<std::uint64_t> fixed) {
  if (text == "auto") return automatic_shard(fixed);
  if (text.empty()) return {};
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto index = number(std::string_view(text).substr(0, slash));
  const auto count = number(std::string_view(text).substr(std::min(slash + 1, text.size())));
  if (!index || !count || *index >= *count) {
    fail(ErrorKind::usage, "--shard takes auto or I/N with I from 0 to N - 1, not '{}'", text);
  }
  if (fixed && *count != *fixed) {
    fail(ErrorKind::usage, "the run has {} shards, not {}", *fixed, *count);
  }
  return {*index, *count};
}

}  // namespace impasto::batch
