// SPDX-License-Identifier: MIT
#include "host/backend/rank_group.hpp"

#include <algorithm>
#include <omp.h>
#include <thread>
#include <utility>

#include "host/core/error.hpp"

namespace impasto {
void RankGroup::run(const std::function<void(int rank)>& work) {
  arrived_ = 0;
  error_ = nullptr;
  const int threads = omp_get_max_threads();
  const auto of_rank = [&](int rank) {
    omp_set_num_threads(std::max(threads / size_, 1));
    try {
      work(rank);
    } catch (...) {
      fail_with(std::current_exception());
    }
  };
  std::vector<std::thread> others;
  for (int rank = 1; rank < size_; ++rank) others.emplace_back(of_rank, rank);
  of_rank(0);
  for (std::thread& other : others) other.join();
  omp_set_num_threads(threads);
  if (error_) std::rethrow_exception(error_);
}

void RankGroup::fail_with(std::exception_ptr error) {
  {
    const std::scoped_lock lock(mutex_);
    if (error_) return;
    error_ = std::move(error);
  }
  changed_.notify_all();
  for (const auto& stop : stops_) stop();
}

void RankGroup::meet() {
  std::unique_lock lock(mutex_);
  const std::uint64_t meeting = meetings_;
  if (!error_ && ++arrived_ == size_) {
    arrived_ = 0;
    ++meetings_;
    lock.unlock();
    changed_.notify_all();
    return;
  }
  changed_.wait(lock, [&] { return meetings_ != meeting || error_; });
  if (meetings_ == meeting) fail(ErrorKind::backend, "another device of the picture has failed");
}

bool RankGroup::decide(int rank, bool decision) {
  if (rank == 0) decision_ = decision;
  meet();
  const bool decided = decision_;
  meet();
  return decided;
}

}  // namespace impasto
