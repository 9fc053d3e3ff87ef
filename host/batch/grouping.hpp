// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "host/batch/work.hpp"

namespace impasto::batch {

/// Puts works that can be computed side by side together, while later ones are still being loaded.
class Grouping {
 public:
  /// At most `room` works that are not full groups yet, and about `bytes` of pictures.
  /// `group_size` says how many of a kind make a full group.
  Grouping(std::size_t room, std::size_t bytes, std::function<std::size_t(const Work&)> group_size)
      : room_(room), bytes_(bytes), group_size_(std::move(group_size)) {}

  /// Waits for room. False once this is closed, and the work is lost.
  bool put(Work work);
  /// A group: a full one, or the oldest where there is no more room or no more work to come; of
  /// several full ones, the oldest of the plan `preferred`. Waits. Nothing at the end.
  std::optional<std::vector<Work>> take(const std::string& preferred);
  /// No more works will come.
  void finish();
  /// Nothing is taken or put any more.
  void close();

 private:
  struct Group {
    std::string plan;
    std::string kind;
    std::size_t full;
    std::vector<Work> works;
  };

  std::list<Group>::iterator ready(const std::string& preferred);
  [[nodiscard]] bool crowded() const { return held_ >= room_ || held_bytes_ >= bytes_; }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Group> groups_;  ///< by age
  std::size_t held_ = 0;
  std::size_t held_bytes_ = 0;
  std::size_t room_;
  std::size_t bytes_;
  std::function<std::size_t(const Work&)> group_size_;
  bool finished_ = false;
  bool closed_ = false;
};

/// Works of one plan can be computed by one Stylization.
std::string plan_of(const Work& work);
/// Works of one kind can be computed side by side.
std::string kind_of(const Work& work);

}  // namespace impasto::batch
