// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <utility>
#include <vector>

namespace simt {

/// The emulated cudaStream_t. It does its work in order, and only when somebody waits for it: host
/// code that reads a result without waiting gets the old value.
class Stream {
 public:
  using Work = std::function<void()>;

  explicit Stream(int device = 0) : device_(device) {}

  /// The index of the machine that does its work. That machine must be the calling thread's when
  /// work is enqueued and done.
  [[nodiscard]] int device() const { return device_; }

  void enqueue(Work work) { (capturing_ ? captured_ : queue_).push_back(std::move(work)); }

  /// Does all the work that was enqueued. If some of it throws, the work after it is dropped.
  void synchronize() {
    const std::vector<Work> queue = std::exchange(queue_, {});
    for (const Work& work : queue) work();
  }

  /// From here on work is recorded and not done, until `end_capture` returns it.
  void begin_capture() { capturing_ = true; }
  std::vector<Work> end_capture() {
    capturing_ = false;
    return std::exchange(captured_, {});
  }

 private:
  int device_;
  std::vector<Work> queue_;
  std::vector<Work> captured_;
  bool capturing_ = false;
};

}  // namespace simt
