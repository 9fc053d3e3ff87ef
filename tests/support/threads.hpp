// SPDX-License-Identifier: MIT
#pragma once

#include <omp.h>

namespace impasto::test {

/// Runs what follows, to the end of its scope, on this many threads.
class ThreadCount {
 public:
  explicit ThreadCount(int threads) : before_(omp_get_max_threads()) {
    omp_set_num_threads(threads);
  }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;
  ~ThreadCount() { omp_set_num_threads(before_); }

 private:
  int before_;
};

}  // namespace impasto::test
