// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "host/backend/device.hpp"
#include "host/backend/tuning/plan_cache.hpp"
#include "host/core/error.hpp"

namespace impasto {

/// Enqueues one candidate's work.
using Launch = std::function<void()>;
/// Runs a launch and waits for it: the microseconds it took.
using Timer = std::function<double(const Launch&)>;

struct TimingLimits {
  int rounds = 9;
  double microseconds = 2e5;  ///< of all launches together; the first round is always ended
};

/// The time of a candidate that could not be run.
inline constexpr double failed_timing = std::numeric_limits<double>::infinity();

/// The median time of each launch, in their order. Each launch first runs once untimed, because a
/// first launch may load or compile code. Then they take turns, round after round, so that a change
/// of the clock affects all of them. A launch that throws an Error gets failed_timing.
std::vector<double> time_in_turns(std::span<const Launch> launches, const Timer& timer,
                                  const TimingLimits& limits = {});

/// An implementation of an operation for one problem, ready to run. `enqueue` takes a call with
/// this problem and workspace_bytes of memory.
template <class Call>
struct Candidate {
  AlgoId id;
  std::int64_t workspace_bytes = 0;
  std::function<void(const Call&, void* workspace)> enqueue;
};

/// The candidates that a library has for one call. It makes them ready one by one, which may take
/// seconds each.
template <class Call>
class Candidates {
 public:
  Candidates() = default;
  Candidates(const Candidates&) = delete;
  Candidates& operator=(const Candidates&) = delete;
  virtual ~Candidates() = default;

  /// The next candidate; none after the last. The library's first choice comes first. Those that
  /// turn out not to work here are passed over.
  [[nodiscard]] virtual std::optional<Candidate<Call>> next() = 0;
  /// The candidate with this id, which is not trusted; none where the library has no such
  /// candidate.
  [[nodiscard]] virtual std::optional<Candidate<Call>> find(const AlgoId& id) = 0;
  /// Why next() has none, where the library says so.
  [[nodiscard]] virtual std::string refusal() const { return {}; }
};

/// What candidates are timed on: a call whose tensors, like the workspace, last as long as
/// `memory`.
template <class Call>
struct TimedCall {
  Call call;
  void* workspace = nullptr;
  std::shared_ptr<void> memory;
};

/// Makes a TimedCall with the given bytes of workspace. Throws ErrorKind::out_of_memory when there is not
/// enough.
template <class Call>
using MakeTimedCall = std::function<TimedCall<Call>(std::int64_t workspace_bytes)>;

/// Finds the fastest candidate for a problem: in the plan cache, else by timing them all.
class Autotuner {
 public:
  using Clock = std::chrono::steady_clock;

  /// Times launches, each on its own.
  using TimeLaunches = std::function<std::vector<double>(std::span<const Launch>)>;
  struct Limits {
    std::int64_t workspace_bytes = std::int64_t{256} << 20U;  ///< candidates that need more are out
    /// After that no further candidate is made ready.
    std::chrono::duration<double> building{2};
  };

  Autotuner(Tuning tuning, PlanCache cache, TimeLaunches time_launches, const Limits& limits)
      : tuning_(tuning),
        cache_(std::move(cache)),
        time_launches_(std::move(time_launches)),
        limits_(limits) {
    if (tuning == Tuning::retune) cache_.forget();
  }

  /// The best of the library's candidates and, where there is one, our own kernel. Without tuning,
  /// or without memory for it, that is the library's first, else our own. `problem` names the
  /// problem in the cache: "bf16 forward 1×64×64, 256 to 512, ReLU". Throws ErrorKind::backend when
  /// there is no candidate at all; with Tuning::retune also what PlanCache::store throws.
  template <class Call>
  Candidate<Call> choose(const std::string& problem, Candidates<Call>* library,
                         const std::type_identity_t<std::optional<Candidate<Call>>>& own,
                         const std::type_identity_t<MakeTimedCall<Call>>& make_timed_call);

 private:
  template <class Call>
  std::optional<Candidate<Call>> cached(const std::string& problem, Candidates<Call>* library,
                                        const std::optional<Candidate<Call>>& own) const;
  template <class Call>
  std::vector<Candidate<Call>> make_ready(Candidates<Call>* library,
                                          const std::optional<Candidate<Call>>& own) const;
  void keep(const std::string& problem, const CachedAlgo& algo);

  Tuning tuning_;
  PlanCache cache_;
  TimeLaunches time_launches_;
  Limits limits_;
};

template <class Call>
Candidate<Call> Autotuner::choose(
    const std::string& problem, Candidates<Call>* library,
    const std::type_identity_t<std::optional<Candidate<Call>>>& own,
    const std::type_identity_t<MakeTimedCall<Call>>& make_timed_call) {
  if (auto known = cached(problem, library, own)) return *std::move(known);
  std::vector<Candidate<Call>> candidates = make_ready(library, own);
  if (candidates.empty()) {
    const std::string refusal = library == nullptr ? "" : library->refusal();
    fail(ErrorKind::backend, "nothing here can do {}{}{}", problem, refusal.empty() ? "" : ": ",
         refusal);
  }
  if (tuning_ == Tuning::off) return std::move(candidates.front());

  std::int64_t workspace_bytes = 0;
  for (const auto& candidate : candidates) {
    workspace_bytes = std::max(workspace_bytes, candidate.workspace_bytes);
  }
  TimedCall<Call> timed;
  try {
    timed = make_timed_call(workspace_bytes);
  } catch (const Error& error) {
    // The run itself may fit all the same. What was not timed is not kept.
    if (error.kind() != ErrorKind::out_of_memory) throw;
    return std::move(candidates.front());
  }
  std::vector<Launch> launches;
  launches.reserve(candidates.size());
  for (const auto& candidate : candidates) {
    launches.push_back([&] { candidate.enqueue(timed.call, timed.workspace); });
  }
  const std::vector<double> times = time_launches_(launches);
  const auto fastest = std::min_element(times.begin(), times.end());
  if (*fastest == failed_timing) {
    fail(ErrorKind::backend, "no candidate for {} runs here", problem);
  }
  Candidate<Call>& chosen = candidates[static_cast<std::size_t>(fastest - times.begin())];
  CachedAlgo algo{chosen.id, chosen.workspace_bytes, {}};
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (times[i] != failed_timing) algo.timings.push_back({candidates[i].id, times[i]});
  }
  keep(problem, algo);
  return std::move(chosen);
}

template <class Call>
std::optional<Candidate<Call>> Autotuner::cached(const std::string& problem,
                                                 Candidates<Call>* library,
                                                 const std::optional<Candidate<Call>>& own) const {
  if (tuning_ == Tuning::off) return std::nullopt;
  const std::optional<CachedAlgo> algo = cache_.find(problem);
  if (!algo) return std::nullopt;
  if (own && own->id == algo->id) return own;
  if (library == nullptr) return std::nullopt;
  std::optional<Candidate<Call>> found = library->find(algo->id);
  if (found && found->workspace_bytes > limits_.workspace_bytes) return std::nullopt;
  return found;
}

template <class Call>
std::vector<Candidate<Call>> Autotuner::make_ready(
    Candidates<Call>* library, const std::optional<Candidate<Call>>& own) const {
  const Clock::time_point start = Clock::now();
  std::vector<Candidate<Call>> ready;
  const auto enough = [&] {
    return !ready.empty() && (tuning_ == Tuning::off || Clock::now() - start > limits_.building);
  };
  const auto add_next = [&] {
    std::optional<Candidate<Call>> next;
    if (library != nullptr) next = library->next();
    if (next && next->workspace_bytes <= limits_.workspace_bytes) ready.push_back(*next);
    return next.has_value();
  };
  // Our own kernel comes second: it is timed however few of the library's there is time to make.
  bool more = add_next();
  if (own && (ready.empty() || tuning_ != Tuning::off)) ready.push_back(*own);
  while (more && !enough()) more = add_next();
  return ready;
}

}  // namespace impasto
