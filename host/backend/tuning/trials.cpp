// SPDX-License-Identifier: MIT
#include "host/backend/tuning/trials.hpp"

#include <algorithm>
#include <cstddef>

#include "host/core/error.hpp"

namespace impasto {
namespace {

/// The lower one of an even number.
double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

std::vector<double> time_trials(std::span<const Trial> trials, const Timer& timer,
                                const TrialLimits& limits) {
  std::vector<std::vector<double>> times(trials.size());
  std::vector<bool> failed(trials.size());
  const auto run = [&](std::size_t i) {
    try {
      return timer(trials[i]);
    } catch (const Error&) {
      failed[i] = true;
      return 0.0;
    }
  };
  for (std::size_t i = 0; i < trials.size(); ++i) run(i);
  double spent = 0;
  for (int round = 0; round < limits.rounds && (round == 0 || spent < limits.microseconds);
       ++round) {
    for (std::size_t i = 0; i < trials.size(); ++i) {
      if (failed[i]) continue;
      times[i].push_back(run(i));
      spent += times[i].back();
    }
  }
  std::vector<double> medians;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    medians.push_back(failed[i] ? failed_trial : median(times[i]));
  }
  return medians;
}

}  // namespace impasto
