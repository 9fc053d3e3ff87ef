// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "host/batch/item.hpp"
#include "host/batch/link.hpp"
#include "host/core/error.hpp"

namespace impasto::batch {

/// What a supervisor needs to know and whom it tells.
struct Supervision {
  /// What workers compute on, one process each.
  std::vector<std::string> devices;
  /// Items that a worker holds at most.
  std::size_t at_once = 1;
  /// A worker that says nothing for so long is killed.
  std::chrono::milliseconds patience{600'000};

  /// The next item to make; nothing at the end.
  std::function<std::optional<Item>()> next;
  /// Starts a worker process on a device, which serves this end of a link; its id. With
  /// `one_by_one` it gets its next item when it has made the one before.
  std::function<pid_t(const std::string& device, const Link& link, bool one_by_one)> start;
  /// A worker has made an item, or given it up; the record is what it says of that.
  std::function<void(const Item& item, const Json& record)> done;
  std::function<void(const Item& item, const Json& record)> failed;
  /// Whether an item that a lost worker had begun is finished all the same; if so, counts it as done.
  std::function<bool(const Item& item)> finished;
  /// An item that took its worker with it, as often as is allowed.
  std::function<void(const Item& item, const std::string& reason)> give_up;
  /// How many seconds of device `index` of `devices` its workers have computed so far, as they tell.
  std::function<void(std::size_t index, double seconds)> busy;
  /// What befell a worker or a device, for people.
  std::function<void(const std::string& message)> note;
  /// Asked often. Once true, workers are told to stop.
  std::function<bool()> stopped;
};

/// Has worker processes make all items. What takes one worker (a crash in a decoder, the kernel's
/// memory killer, a GPU that is in no state to go on) costs at most the time of a few items:
///
/// - What the worker held is made by another. Items that it had begun are made once more, one by one, so
///   that a worker which is lost again leaves no doubt; on another device where there is one; three
///   times, then give_up().
/// - A device that loses a worker has to make a sample picture before it is used again. Three times
///   in a row without success, and it is retired.
///
/// Returns when all is made or stopped(). Throws ErrorKind::out_of_memory, which asks for another
/// try elsewhere, when no device is left; and what a worker says ends the batch.
void supervise(const Supervision& supervision);

/// The messages of a worker. The first four may have "busy": its BusyTime, in seconds.
namespace message {
/// {"event": begun, "item": hash}: its pictures are being read.
inline constexpr auto begun = "begun";
/// {"event": done | failed, "item": hash, "record": ...}
inline constexpr auto done = "done";
inline constexpr auto failed = "failed";
/// {"event": alive}
inline constexpr auto alive = "alive";
/// {"event": ended, "kind": ErrorKind, "reason": text}: what ends the worker.
inline constexpr auto ended = "ended";
}  // namespace message

}  // namespace impasto::batch
