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
#include "host/backend/tuning/knob_search.hpp"
#include "host/backend/tuning/plan_cache.hpp"
#include "host/core/error.hpp"

namespace impasto {

/// Enqueues one candidate's work.
using Launch = std::function<void()>;
/// Runs a launch and waits for it: the microseconds it took.
using Timer = std::function<double(const Launch&)>;
/// Times launches, each on its own.
using TimeLaunches = std::function<std::vector<double>(std::span<const Launch>)>;

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
  /// What can be chosen of the candidate with this id: find() has the candidates with other values.
  [[nodiscard]] virtual std::vector<Knob> knobs(const AlgoId& /*id*/) { return {}; }
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

/// Runs candidates on one TimedCall and times them there. The TimedCall must outlive it.
template <class Call>
class Trials {
 public:
  Trials(const TimedCall<Call>& timed, std::int64_t workspace_bytes, const TimeLaunches& time)
      : timed_(timed), workspace_bytes_(workspace_bytes), time_(time) {}

  /// What a candidate that needs more does not fit into.
  [[nodiscard]] std::int64_t workspace_bytes() const { return workspace_bytes_; }
  /// A sample of what the candidate computes; empty where it fails.
  [[nodiscard]] std::vector<float> result(const Candidate<Call>& candidate) {
    try {
      return timed_.result(launch(candidate));
    } catch (const Error& error) {
      if (first_failure_.empty()) {
        first_failure_ =
            fmt::format("; the first to fail was {}: {}", to_string(candidate.id), error.what());
      }
      return {};
    }
  }
  /// The candidates' times, failed_timing for one that fails.
  [[nodiscard]] std::vector<double> times(std::span<const Candidate<Call>> candidates) const {
    std::vector<Launch> launches;
    for (const auto& candidate : candidates) launches.push_back(launch(candidate));
    try {
      return time_(launches);
    } catch (const Error& error) {
      fail(error.kind(), "{}{}", error.what(), first_failure_);
    }
  }
  /// For the end of a message; empty where result() never failed.
  [[nodiscard]] const std::string& first_failure() const { return first_failure_; }

 private:
  [[nodiscard]] Launch launch(const Candidate<Call>& candidate) const {
    return [this, &candidate] { candidate.enqueue(timed_.call, timed_.workspace); };
  }

  const TimedCall<Call>& timed_;
  std::int64_t workspace_bytes_;
  const TimeLaunches& time_;
  std::string first_failure_;
};

/// Finds the fastest candidate for a problem: in the plan cache, under this problem or one of
/// nearly the same size, else by timing all of them. A candidate that computes something else than
/// most do never wins.
class Autotuner {
 public:
  using Clock = std::chrono::steady_clock;

  struct Limits {
    std::int64_t workspace_bytes = std::int64_t{256} << 20U;  ///< candidates that need more are out
    /// For candidates that are compiled first, of all problems together. After that none is.
    std::chrono::duration<double> compiling{5};
    /// For the knobs of the fastest candidates, of each problem.
    std::chrono::duration<double> searching{0};
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
  /// What a candidate must compute.
  struct Expected {
    std::vector<float> result;
    double tolerance;
  };

  template <class Call>
  std::optional<Candidate<Call>> cached(const ProblemName& problem, Candidates<Call>* library,
                                        const std::optional<Candidate<Call>>& own);
  template <class Call>
  std::optional<Candidate<Call>> find(const AlgoId& id, Candidates<Call>* library,
                                      const std::optional<Candidate<Call>>& own) const;
  template <class Call>
  Ready<Call> make_ready(Candidates<Call>* library, const std::optional<Candidate<Call>>& own,
                         bool& complete);
  template <class Call>
  Candidate<Call> search(const Ready<Call>& right, Candidates<Call>& library, Trials<Call>& trials,
                         const Expected& expected, CachedAlgo& algo) const;
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

  Trials<Call> trials(timed, workspace_bytes, time_launches_);
  std::vector<std::vector<float>> results;
  for (const auto& candidate : candidates) results.push_back(trials.result(candidate));
  // Our kernel is tested against a reference.
  const auto is_own = [&](const auto& candidate) { return own && candidate.id == own->id; };
  const auto trusted = std::find_if(candidates.begin(), candidates.end(), is_own);
  const std::vector<bool> agrees =
      agreeing(results, timed.tolerance, static_cast<std::size_t>(trusted - candidates.begin()));
  Ready<Call> right;
  std::vector<std::vector<float>> right_results;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (agrees[i]) {
      right.push_back(std::move(candidates[i]));
      right_results.push_back(std::move(results[i]));
    } else if (!results[i].empty()) {
      algo.differing.push_back(candidates[i].id);
    }
  }
  const std::vector<double> times = trials.times(right);
  const auto fastest = std::min_element(times.begin(), times.end());
  if (fastest == times.end() || *fastest == failed_timing) {
    fail(ErrorKind::backend, "no candidate for {} runs here{}", problem.text,
         trials.first_failure());
  }
  for (std::size_t i = 0; i < right.size(); ++i) {
    if (times[i] != failed_timing) algo.timings.push_back({right[i].id, times[i]});
  }
  const auto best = static_cast<std::size_t>(fastest - times.begin());
  Candidate<Call> chosen = right[best];
  if (library != nullptr && limits_.searching.count() > 0) {
    chosen = search(right, *library, trials, {right_results[best], timed.tolerance}, algo);
  }
  algo.id = chosen.id;
  algo.workspace_bytes = chosen.workspace_bytes;
  keep(problem, std::move(algo));
  return chosen;
}

/// From the fastest candidate and the fastest of another engine, each for half of the time.
template <class Call>
Candidate<Call> Autotuner::search(const Ready<Call>& right, Candidates<Call>& library,
                                  Trials<Call>& trials, const Expected& expected,
                                  CachedAlgo& algo) const {
  constexpr std::size_t most_engines = 2;
  Ready<Call> known = right;
  Clock::time_point end;
  const auto has_time = [&] {
    if (Clock::now() < end) return true;
    algo.complete = false;
    return false;
  };
  const auto find_right = [&](const AlgoId& id) -> std::optional<Candidate<Call>> {
    for (const auto& candidate : known) {
      if (candidate.id == id) return candidate;
    }
    if (!has_time()) return std::nullopt;
    std::optional<Candidate<Call>> found = library.find(id);
    if (!found || found->workspace_bytes > trials.workspace_bytes()) return std::nullopt;
    const std::vector<std::vector<float>> results = {expected.result, trials.result(*found)};
    if (!agreeing(results, expected.tolerance, 0)[1]) {
      if (!results[1].empty()) algo.differing.push_back(id);
      return std::nullopt;
    }
    known.push_back(*found);
    return found;
  };
  const TimeAlgos time = [&](std::span<const AlgoId> ids) {
    Ready<Call> found;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      std::optional<Candidate<Call>> candidate = find_right(ids[i]);
      if (!candidate) continue;
      found.push_back(*std::move(candidate));
      places.push_back(i);
    }
    std::vector<double> times(ids.size(), failed_timing);
    const std::vector<double> of_found = trials.times(found);
    for (std::size_t i = 0; i < places.size(); ++i) times[places[i]] = of_found[i];
    return times;
  };

  std::vector<Timing> order = algo.timings;
  std::stable_sort(order.begin(), order.end(), [](const Timing& a, const Timing& b) {
    return a.microseconds < b.microseconds;
  });
  std::vector<AlgoId> engines;
  std::vector<AlgoId> finalists;
  for (const Timing& start : order) {
    const std::vector<Knob> knobs = library.knobs(start.id);
    AlgoId engine = start.id;
    for (const Knob& knob : knobs) engine.parameters.erase(knob.parameter);
    if (std::find(engines.begin(), engines.end(), engine) != engines.end()) continue;
    engines.push_back(std::move(engine));
    end = Clock::now() +
          std::chrono::duration_cast<Clock::duration>(limits_.searching / most_engines);
    finalists.push_back(search_knobs(start.id, knobs, time, has_time));
    if (engines.size() == most_engines) break;
  }
  const std::vector<double> times = time(finalists);
  const auto fastest = std::min_element(times.begin(), times.end());
  const AlgoId& id = finalists[static_cast<std::size_t>(fastest - times.begin())];
  const auto is_chosen = [&](const auto& each) { return each.id == id; };
  if (std::none_of(algo.timings.begin(), algo.timings.end(), is_chosen)) {
    algo.timings.push_back({id, *fastest});
  }
  return *std::find_if(known.begin(), known.end(), is_chosen);
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
