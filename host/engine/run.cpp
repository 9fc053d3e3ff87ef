// SPDX-License-Identifier: MIT
#include <chrono>
#include <deque>
#include <utility>

#include "host/engine/stylizer.hpp"

namespace impasto {
namespace {

/// Losses are looked at at least this often, so that NaN is noticed soon even when nobody asks.
constexpr std::int64_t check_every = 10;

}  // namespace

Ending run(Stylizer& stylizer, std::int64_t iterations, std::int64_t report_every,
           const std::function<bool(const Progress&)>& report) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };

  struct Watched {
    std::int64_t iteration;
    bool reported;
  };
  std::deque<Watched> watched;
  Ending ending = Ending::finished;
  /// Whether to go on, by the oldest that is watched.
  const auto collect = [&] {
    const Watched oldest = watched.front();
    watched.pop_front();
    std::vector<Losses> losses = stylizer.collect();
    if (!all_finite(losses)) {
      ending = Ending::diverged;
      return false;
    }
    if (!oldest.reported || report({oldest.iteration, seconds(), std::move(losses)})) return true;
    if (oldest.iteration < iterations) ending = Ending::stopped;
    return false;
  };

  bool going = true;
  for (std::int64_t k = 0; going && k <= iterations; ++k) {
    const bool last = k == iterations;
    const bool reported = last || k % report_every == 0;
    if (reported || k % check_every == 0) {
      if (watched.size() == Stylizer::most_watched) going = collect();
      if (!going) break;
      watched.push_back({k, reported});
      // A step computes the losses of picture k on its way to picture k + 1.
      if (last) {
        stylizer.watch_evaluation();
      } else {
        stylizer.watch_step();
      }
    } else {
      stylizer.step();
    }
    while (going && !watched.empty() && (last || stylizer.arrived())) going = collect();
  }
  stylizer.restore();
  return ending;
}

}  // namespace impasto
