// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace impasto::batch {

/// What one stage of the pipeline hands to the next: at most `room` things at a time.
template <class T>
class Queue {
 public:
  explicit Queue(std::size_t room) : room_(room) {}

  /// Waits for room. False where the queue is closed, and the thing is lost.
  bool push(T thing) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || things_.size() < room_; });
    if (closed_) return false;
    things_.push_back(std::move(thing));
    changed_.notify_all();
    return true;
  }

  /// Waits for a thing. Nothing where the queue is closed and empty.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || !things_.empty(); });
    if (things_.empty()) return std::nullopt;
    T thing = std::move(things_.front());
    things_.pop_front();
    changed_.notify_all();
    return thing;
  }

  /// What is in the queue can still be taken.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> things_;
  std::size_t room_;
  bool closed_ = false;
};

}  // namespace impasto::batch
