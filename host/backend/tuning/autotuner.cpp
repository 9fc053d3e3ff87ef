// SPDX-License-Identifier: MIT
#include "host/backend/tuning/autotuner.hpp"

namespace impasto {
namespace {

/// The lower one of an even number.
double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

std::vector<double> time_in_turns(std::span<const Launch> launches, const Timer& timer,
                                  const TimingLimits& limits) {
  std::vector<std::vector<double>> times(launches.size());
  std::vector<bool> failed(launches.size());
  const auto run = [&](std::size_t i) {
    try {
      return timer(launches[i]);
    } catch (const Error&) {
      failed[i] = true;
      return 0.0;
    }
  };
  for (std::size_t i = 0; i < launches.size(); ++i) run(i);
  double spent = 0;
  for (int round = 0; round < limits.rounds && (round == 0 || spent < limits.microseconds);
       ++round) {
    for (std::size_t i = 0; i < launches.size(); ++i) {
      if (failed[i]) continue;
      times[i].push_back(run(i));
      spent += times[i].back();
    }
  }
  std::vector<double> medians;
  for (std::size_t i = 0; i < launches.size(); ++i) {
    medians.push_back(failed[i] ? failed_timing : median(times[i]));
  }
  return medians;
}

void Autotuner::keep(const std::string& problem, const CachedAlgo& algo) {
  try {
    cache_.store(problem, algo);
  } catch (const Error& error) {
    // Without a cache the next run measures again, which is no reason not to go on; unless filling
    // the cache is all that was asked for.
    if (tuning_ == Tuning::retune || error.kind() != ErrorKind::output) throw;
  }
}

}  // namespace impasto
