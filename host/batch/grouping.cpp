// SPDX-License-Identifier: MIT
#include "host/batch/grouping.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace impasto::batch {

std::string plan_of(const Work& work) {
  return fmt::format("{}×{} {}", work.content.height, work.content.width, work.configuration);
}

std::string kind_of(const Work& work) {
  const std::string kind = fmt::format("{} in {}", plan_of(work), work.style_names);
  if (!work.from) return kind;
  return fmt::format("{} from {}:{}", kind, work.from->scale, work.from->iteration);
}

bool Grouping::put(Work work) {
  const std::string kind = kind_of(work);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closed_ || !crowded(); });
  if (closed_) return false;
  ++held_;
  held_bytes_ += work.bytes();
  auto group = std::ranges::find_if(groups_, [&](const Group& other) {
    return other.kind == kind && other.works.size() < other.full;
  });
  if (group == groups_.end()) {
    const std::size_t full = std::max<std::size_t>(group_size_(work), 1);
    group = groups_.insert(groups_.end(), {plan_of(work), kind, full, {}});
  }
  group->works.push_back(std::move(work));
  changed_.notify_all();
  return true;
}

std::list<Grouping::Group>::iterator Grouping::ready(const std::string& preferred) {
  const auto full = [](const Group& group) { return group.works.size() == group.full; };
  const auto liked = std::ranges::find_if(
      groups_, [&](const Group& group) { return full(group) && group.plan == preferred; });
  if (liked != groups_.end()) return liked;
  const auto any = std::ranges::find_if(groups_, full);
  if (any != groups_.end()) return any;
  return crowded() || finished_ ? groups_.begin() : groups_.end();
}

std::optional<std::vector<Work>> Grouping::take(const std::string& preferred) {
  std::unique_lock lock(mutex_);
  auto group = groups_.end();
  changed_.wait(lock, [&] {
    group = ready(preferred);
    return closed_ || group != groups_.end() || (finished_ && groups_.empty());
  });
  if (closed_ || group == groups_.end()) return std::nullopt;
  std::vector<Work> works = std::move(group->works);
  groups_.erase(group);
  held_ -= works.size();
  for (const Work& work : works) held_bytes_ -= work.bytes();
  changed_.notify_all();
  return works;
}

void Grouping::finish() {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  changed_.notify_all();
}

void Grouping::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

}  // namespace impasto::batch
