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

/// Which results are those that most candidates computed: the ones that agree with the result that
/// the most others agree with; of equals that is the trusted one, else the first. A result agrees
/// with another one if the root mean square of the difference is at most `tolerance` times the
/// other's. An empty one agrees with none.
std::vector<bool> agreeing(std::span<const std::vector<float>> results, double tolerance,
                           std::size_t trusted);

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
  /// The candidate with this id, which may come from a damaged file; none if the library has no
  /// such candidate.
  [[nodiscard]] virtual std::optional<Candidate<Call>> find(const AlgoId& id) = 0;
  /// Whether next() would have to compile the candidate first, which takes seconds.
  [[nodiscard]] virtual bool next_is_compiled() { return false; }
  /// The library's reason why next() has none, if it gave one.
  [[nodiscard]] virtual std::string refusal() const { return {}; }
};

/// What candidates are compared and timed on: a call whose tensors, like the workspace, last as
/// long as `memory`.
template <class Call>
struct TimedCall {
  Call call;
  void* workspace = nullptr;
  std::shared_ptr<void> memory;
  /// Runs a launch once and returns a sample of what it computed, of the same places for every
  /// launch. What a launch adds to is the same each time. Throws what the launch throws.
  std::function<std::vector<float>(const Launch&)> result;
  double tolerance = 0;  ///< for agreeing()
};

/// Makes a TimedCall with the given bytes of workspace. Throws ErrorKind::out_of_memory when there
/// is not enough.
template <class Call>
using MakeTimedCall = std::function<TimedCall<Call>(std::int64_t workspace_bytes)>;

/// Finds the fastest candidate for a problem: in the plan cache, under this problem or one of
/// nearly the same size, else by timing all of them. A candidate that computes something else than
/// most do never wins.
class Autotuner {
 public:
  using Clock = std::chrono::steady_clock;

  /// Times launches, each on its own.
  using TimeLaunches = std::function<std::vector<double>(std::span<const Launch>)>;
  struct Limits {
    std::int64_t workspace_bytes = std::int64_t{256} << 20U;  ///< candidates that need more are out
    /// For candidates that are compiled first, of all problems together. After that none is.
    std::chrono::duration<double> compiling{5};
  };

  Autotuner(Tuning tuning, PlanCache cache, TimeLaunches time_launches, const Limits& limits)
      : tuning_(tuning),
        cache_(std::move(cache)),
        time_launches_(std::move(time_launches)),
        limits_(limits) {
    if (tuning == Tuning::retune) cache_.forget();
  }

  /// The best of the library's candidates and, where there is one, our own kernel. Without tuning,
  /// or without memory for it, that is the library's first, else our own. Throws ErrorKind::backend
  /// when there is no candidate at all; with Tuning::retune also what PlanCache::store throws.
  template <class Call>
  Candidate<Call> choose(const ProblemName& problem, Candidates<Call>* library,
                         const std::type_identity_t<std::optional<Candidate<Call>>>& own,
                         const std::type_identity_t<MakeTimedCall<Call>>& make_timed_call);

 private:
  template <class Call>
  using Ready = std::vector<Candidate<Call>>;

  template <class Call>
  std::optional<Candidate<Call>> cached(const ProblemName& problem, Candidates<Call>* library,
                                        const std::optional<Candidate<Call>>& own);
  template <class Call>
  std::optional<Candidate<Call>> find(const AlgoId& id, Candidates<Call>* library,
                                      const std::optional<Candidate<Call>>& own) const;
  template <class Call>
  Ready<Call> make_ready(Candidates<Call>* library, const std::optional<Candidate<Call>>& own,
                         bool& complete);
  void keep(const ProblemName& problem, CachedAlgo algo);

  Tuning tuning_;
  PlanCache cache_;
  TimeLaunches time_launches_;
  Limits limits_;
  Clock::duration compiling_{};  ///< spent so far
};

template <class Call>
Candidate<Call> Autotuner::choose(
    const ProblemName& problem, Candidates<Call>* library,
    const std::type_identity_t<std::optional<Candidate<Call>>>& own,
    const std::type_identity_t<MakeTimedCall<Call>>& make_timed_call) {
  if (auto known = cached(problem, library, own)) return *std::move(known);
  CachedAlgo algo;
  Ready<Call> candidates = make_ready(library, own, algo.complete);
  if (candidates.empty()) {
    const std::string refusal = library == nullptr ? "" : library->refusal();
    fail(ErrorKind::backend, "nothing here can do {}{}{}", problem.text,
         refusal.empty() ? "" : ": ", refusal);
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
  std::vector<std::vector<float>> results;
  std::string first_failure;
  for (const auto& candidate : candidates) {
    launches.push_back([&] { candidate.enqueue(timed.call, timed.workspace); });
    try {
      results.push_back(timed.result(launches.back()));
    } catch (const Error& error) {
      results.emplace_back();
      if (!first_failure.empty()) continue;
      first_failure =
          fmt::format("; the first to fail was {}: {}", to_string(candidate.id), error.what());
    }
  }
  // Our kernel is tested against a reference.
  const auto is_own = [&](const auto& candidate) { return own && candidate.id == own->id; };
  const auto trusted = std::find_if(candidates.begin(), candidates.end(), is_own);
  const std::vector<bool> agrees =
      agreeing(results, timed.tolerance, static_cast<std::size_t>(trusted - candidates.begin()));
  std::vector<Launch> timed_launches;
  std::vector<const Candidate<Call>*> right;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (agrees[i]) {
      timed_launches.push_back(launches[i]);
      right.push_back(&candidates[i]);
    } else if (!results[i].empty()) {
      algo.differing.push_back(candidates[i].id);
    }
  }
  std::vector<double> times;
  try {
    times = time_launches_(timed_launches);
  } catch (const Error& error) {
    fail(error.kind(), "{}{}", error.what(), first_failure);
  }
  const auto fastest = std::min_element(times.begin(), times.end());
  if (fastest == times.end() || *fastest == failed_timing) {
    fail(ErrorKind::backend, "no candidate for {} runs here{}", problem.text, first_failure);
  }
  const Candidate<Call>& chosen = *right[static_cast<std::size_t>(fastest - times.begin())];
  algo.id = chosen.id;
  algo.workspace_bytes = chosen.workspace_bytes;
  for (std::size_t i = 0; i < right.size(); ++i) {
    if (times[i] != failed_timing) algo.timings.push_back({right[i]->id, times[i]});
  }
  keep(problem, std::move(algo));
  return chosen;
}

template <class Call>
std::optional<Candidate<Call>> Autotuner::cached(const ProblemName& problem,
                                                 Candidates<Call>* library,
                                                 const std::optional<Candidate<Call>>& own) {
  if (tuning_ == Tuning::off) return std::nullopt;
  if (const std::optional<CachedAlgo> algo = cache_.find(problem.text)) {
    return find(algo->id, library, own);
  }
  if (tuning_ == Tuning::retune) return std::nullopt;
  const auto near = cache_.find_near(problem);
  if (!near) return std::nullopt;
  std::optional<Candidate<Call>> found = find(near->second.id, library, own);
  // Kept, so that it stays the same when a still nearer size is timed.
  if (found) {
    keep(problem, {.id = found->id,
                   .workspace_bytes = found->workspace_bytes,
                   .complete = false,
                   .taken_from = near->first});
  }
  return found;
}

template <class Call>
std::optional<Candidate<Call>> Autotuner::find(const AlgoId& id, Candidates<Call>* library,
                                               const std::optional<Candidate<Call>>& own) const {
  if (own && own->id == id) return own;
  if (library == nullptr) return std::nullopt;
  std::optional<Candidate<Call>> found = library->find(id);
  if (found && found->workspace_bytes > limits_.workspace_bytes) return std::nullopt;
  return found;
}

template <class Call>
Autotuner::Ready<Call> Autotuner::make_ready(Candidates<Call>* library,
                                             const std::optional<Candidate<Call>>& own,
                                             bool& complete) {
  Ready<Call> ready;
  const auto add_next = [&] {
    if (library == nullptr) return false;
    const bool compiled = library->next_is_compiled();
    if (compiled && !ready.empty() && compiling_ > limits_.compiling) {
      complete = false;
      return false;
    }
    const Clock::time_point start = Clock::now();
    const std::optional<Candidate<Call>> next = library->next();
    if (compiled) compiling_ += Clock::now() - start;
    if (next && next->workspace_bytes <= limits_.workspace_bytes) ready.push_back(*next);
    return next.has_value();
  };
  // Our own kernel comes second: it is timed however few of the library's there is time to make.
  bool more = add_next();
  if (own && (ready.empty() || tuning_ != Tuning::off)) ready.push_back(*own);
  while (more && (ready.empty() || tuning_ != Tuning::off)) more = add_next();
  return ready;
}

}  // namespace impasto
