// SPDX-License-Identifier: MIT
#include "host/app/threads.hpp"

#include <algorithm>
#include <latch>
#include <omp.h>
#include <system_error>
#include <thread>
#include <vector>

namespace impasto::app {
namespace {

constexpr int most_threads = 1024;
constexpr int for_libraries = 6;  ///< decoders and encoders of pictures start some

/// How many of `wanted` threads can live at once beside this one.
int startable(int wanted) {
  std::latch end(1);
  std::vector<std::thread> threads;
  try {
    threads.reserve(static_cast<std::size_t>(wanted));
    for (int i = 0; i < wanted; ++i) threads.emplace_back([&end] { end.wait(); });
  } catch (const std::system_error&) {  // no more
  }
  end.count_down();
  for (std::thread& thread : threads) thread.join();
  return static_cast<int>(threads.size());
}

}  // namespace

void limit_threads() {
  const int wanted = std::min(omp_get_max_threads(), most_threads);
  const int others = startable(wanted - 1 + for_libraries) - for_libraries;
  omp_set_num_threads(std::clamp(others + 1, 1, wanted));
}

}  // namespace impasto::app
