// SPDX-License-Identifier: MIT
#include "host/backend/tuning/autotuner.hpp"

#include <cmath>

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

std::vector<bool> agreeing(std::span<const std::vector<float>> results, double tolerance,
                           std::size_t trusted) {
  const auto agree = [&](const std::vector<float>& a, const std::vector<float>& b) {
    if (a.empty() || a.size() != b.size()) return false;
    double difference = 0;
    double squares = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double off = static_cast<double>(a[i]) - static_cast<double>(b[i]);
      difference += off * off;
      squares += static_cast<double>(a[i]) * static_cast<double>(a[i]);
    }
    // False for a NaN.
    return difference <= tolerance * tolerance * squares;
  };
  std::vector<bool> best(results.size());
  std::ptrdiff_t most = 0;
  const auto ask = [&](const std::vector<float>& result) {
    std::vector<bool> own;
    for (const std::vector<float>& other : results) own.push_back(agree(result, other));
    const auto count = std::count(own.begin(), own.end(), true);
    if (count > most) {
      most = count;
      best = std::move(own);
    }
  };
  if (trusted < results.size()) ask(results[trusted]);
  for (const std::vector<float>& result : results) ask(result);
  return best;
}

void Autotuner::keep(const ProblemName& problem, CachedAlgo algo) {
  algo.alike = problem.alike;
  algo.pixels = problem.pixels;
  try {
    cache_.store(problem.text, algo);
  } catch (const Error& error) {
    // Without a cache the next run measures again, which is no reason not to go on; unless filling
    // the cache is all that was asked for.
    if (tuning_ == Tuning::retune || error.kind() != ErrorKind::output) throw;
  }
}

}  // namespace impasto
