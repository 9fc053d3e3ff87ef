// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <vector>

namespace simt {

/// Work in the order it was given, done when somebody waits for it and not before: a host that
/// reads a result without waiting gets what was there. The host's cudaStream_t.
class Stream {
 public:
  using Work = std::function<void()>;

  void enqueue(Work work);
  /// Does all that was enqueued. What throws ends it; the work behind is dropped.
  void synchronize();

  /// From here on work is noted and not done; `end_capture` gives the notes.
  void begin_capture() { capturing_ = true; }
  std::vector<Work> end_capture();
  [[nodiscard]] bool capturing() const { return capturing_; }

 private:
  std::vector<Work> queue_;
  std::vector<Work> captured_;
  bool capturing_ = false;
};

}  // namespace simt
