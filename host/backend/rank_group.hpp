// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <vector>

namespace impasto {

/// Threads that compute together, one for each rank: where they meet, and how the error of one ends all.
class RankGroup {
 public:
  explicit RankGroup(int size) : size_(size) {}
  RankGroup(const RankGroup&) = delete;
  RankGroup& operator=(const RankGroup&) = delete;

  [[nodiscard]] int size() const { return size_; }
  /// Does every rank's work at once, that of rank 0 on the calling thread, and waits for all of them. They
  /// share the calling thread's OpenMP threads. Where some throw, throws what the first of them threw.
  void run(const std::function<void(int rank)>& work);
  /// Returns when every rank is here. Throws where one has failed.
  void meet();
  /// What rank 0 has decided. Every rank calls it.
  bool decide(int rank, bool decision);
  /// `stop` is called when a rank has failed, so that others which wait on a device go on.
  void when_failed(std::function<void()> stop) { stops_.push_back(std::move(stop)); }

 private:
  void fail_with(std::exception_ptr error);

  const int size_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int arrived_ = 0;
  std::uint64_t meetings_ = 0;
  bool decision_ = false;
  std::exception_ptr error_;
  std::vector<std::function<void()>> stops_;
};

}  // namespace impasto
