// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace impasto::kernels {

/// A loop over fewer values than this runs on one thread: it takes about as long as waking another.
inline constexpr std::int64_t min_parallel = 8192;

/// Sums chunk_sum(begin, end) over [0, count) on all threads. The chunks depend on `count` and
/// `min_chunk` alone, and their sums are added in order, so the result has the same bits on any
/// number of threads. `min_chunk` keeps a chunk's work well above the cost of starting it.
template <class ChunkSum>
double ordered_sum(std::int64_t count, ChunkSum chunk_sum, std::int64_t min_chunk = 4096) {
  constexpr std::int64_t max_chunks = 256;
  const std::int64_t chunk = std::max(min_chunk, (count + max_chunks - 1) / max_chunks);
  const std::int64_t chunks = (count + chunk - 1) / chunk;
  std::array<double, max_chunks> partial{};
#pragma omp parallel for schedule(static) if (chunks > 1)
  for (std::int64_t i = 0; i < chunks; ++i) {
    partial[static_cast<std::size_t>(i)] = chunk_sum(i * chunk, std::min(count, (i + 1) * chunk));
  }
  double sum = 0;
  for (std::int64_t i = 0; i < chunks; ++i) sum += partial[static_cast<std::size_t>(i)];
  return sum;
}

}  // namespace impasto::kernels
