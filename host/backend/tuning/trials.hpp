// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <limits>
#include <span>
#include <vector>

namespace impasto {

/// Enqueues one candidate's work.
using Trial = std::function<void()>;
/// Does a trial and waits for it: the microseconds it took.
using Timer = std::function<double(const Trial&)>;

struct TrialLimits {
  int rounds = 9;
  double microseconds = 2e5;  ///< of all trials together; the first round is always ended
};

/// A candidate that could not be run.
inline constexpr double failed_trial = std::numeric_limits<double>::infinity();

/// The median time of each candidate, in their order. Every one runs once untimed, for what is
/// loaded or compiled at a first launch; then they take turns, round after round, so that a clock
/// that changes meanwhile changes all of them. One that throws an Error is out: failed_trial.
std::vector<double> time_trials(std::span<const Trial> trials, const Timer& timer,
                                const TrialLimits& limits = {});

}  // namespace impasto
