// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/backend/device.hpp"
#include "host/backend/tuning/plan_cache.hpp"
#include "host/backend/tuning/trials.hpp"
#include "host/core/error.hpp"

namespace impasto {

/// A way to solve a problem, ready to run: `enqueue` takes the problem's tensors and memory of its
/// own, workspace_bytes of it.
template <class Tensors>
struct Way {
  Recipe recipe;
  std::int64_t workspace_bytes = 0;
  std::function<void(const Tensors&, void* workspace)> enqueue;
};

/// Something that can be done in several ways.
template <class Tensors>
class Problem {
 public:
  Problem() = default;
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;
  virtual ~Problem() = default;

  /// Everything that the choice depends on: "bf16 forward 1×64×64, 256 to 512, ReLU".
  [[nodiscard]] virtual std::string describe() const = 0;
  /// The next way, made ready; none after the last. The library's first choice comes first. Those
  /// that turn out not to work here are passed over. May throw ErrorKind::backend in place of the
  /// first, to say why there is none.
  [[nodiscard]] virtual std::optional<Way<Tensors>> next() = 0;
  /// The way of a recipe that may come from anywhere; none where it is not one of ours.
  [[nodiscard]] virtual std::optional<Way<Tensors>> make(const Recipe& recipe) = 0;
  /// Tensors to try the ways on. They and `workspace_bytes` at `workspace` last as long as the
  /// result. Throws ErrorKind::out_of_memory when there is not enough.
  struct Stage {
    Tensors tensors;
    void* workspace = nullptr;
    std::shared_ptr<void> memory;
  };
  [[nodiscard]] virtual Stage set_up(std::int64_t workspace_bytes) = 0;
};

/// Finds the fastest way of a problem: in the cache, else by trying them all.
class Chooser {
 public:
  using Clock = std::chrono::steady_clock;

  /// Times trials, each candidate's on its own.
  using TimeTrials = std::function<std::vector<double>(std::span<const Trial>)>;
  struct Limits {
    std::int64_t workspace_bytes = std::int64_t{256} << 20U;  ///< a way that needs more is out
    std::chrono::duration<double> building{2};  ///< then the ways not yet made ready are left out
  };

  Chooser(Tuning tuning, PlanCache cache, TimeTrials time_trials, const Limits& limits)
      : tuning_(tuning),
        cache_(std::move(cache)),
        time_trials_(std::move(time_trials)),
        limits_(limits) {
    if (tuning == Tuning::retune) cache_.forget();
  }

  /// Throws ErrorKind::backend when there is no way at all; with Tuning::retune also what
  /// PlanCache::store throws.
  template <class Tensors>
  Way<Tensors> choose(Problem<Tensors>& problem);

 private:
  template <class Tensors>
  std::vector<Way<Tensors>> candidates(Problem<Tensors>& problem) const;
  void keep(const std::string& problem, const Choice& choice);

  Tuning tuning_;
  PlanCache cache_;
  TimeTrials time_trials_;
  Limits limits_;
};

template <class Tensors>
Way<Tensors> Chooser::choose(Problem<Tensors>& problem) {
  const std::string name = problem.describe();
  if (tuning_ != Tuning::off) {
    if (const std::optional<Choice> known = cache_.find(name)) {
      std::optional<Way<Tensors>> way = problem.make(known->recipe);
      if (way && way->workspace_bytes <= limits_.workspace_bytes) return *std::move(way);
    }
  }
  std::vector<Way<Tensors>> ways = candidates(problem);
  if (ways.empty()) fail(ErrorKind::backend, "no library here has a way to do: {}", name);
  if (tuning_ == Tuning::off) return std::move(ways.front());

  std::int64_t workspace_bytes = 0;
  for (const auto& way : ways) workspace_bytes = std::max(workspace_bytes, way.workspace_bytes);
  typename Problem<Tensors>::Stage stage;
  try {
    stage = problem.set_up(workspace_bytes);
  } catch (const Error& error) {
    // Not enough memory for trials: untried, then, and not kept.
    if (error.kind() != ErrorKind::out_of_memory) throw;
    return std::move(ways.front());
  }
  std::vector<Trial> trials;
  trials.reserve(ways.size());
  for (const auto& way : ways) {
    trials.push_back([&] { way.enqueue(stage.tensors, stage.workspace); });
  }
  const std::vector<double> times = time_trials_(trials);
  const auto fastest = std::min_element(times.begin(), times.end());
  if (*fastest == failed_trial) fail(ErrorKind::backend, "no way to do this runs here: {}", name);
  Way<Tensors>& chosen = ways[static_cast<std::size_t>(fastest - times.begin())];
  Choice choice{chosen.recipe, chosen.workspace_bytes, {}};
  for (std::size_t i = 0; i < ways.size(); ++i) {
    if (times[i] != failed_trial) choice.timings.push_back({ways[i].recipe, times[i]});
  }
  keep(name, choice);
  return std::move(chosen);
}

template <class Tensors>
std::vector<Way<Tensors>> Chooser::candidates(Problem<Tensors>& problem) const {
  const Clock::time_point start = Clock::now();
  std::vector<Way<Tensors>> ways;
  while (std::optional<Way<Tensors>> way = problem.next()) {
    if (way->workspace_bytes > limits_.workspace_bytes) continue;
    ways.push_back(*std::move(way));
    if (tuning_ == Tuning::off || Clock::now() - start > limits_.building) break;
  }
  return ways;
}

}  // namespace impasto
