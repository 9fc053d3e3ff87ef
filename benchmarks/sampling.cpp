// SPDX-License-Identifier: MIT
#include "benchmarks/sampling.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <numeric>
#include <optional>
#include <string>
#include <unistd.h>

namespace impasto::bench {
namespace {

constexpr double most_times_least_seconds = 5;

/// Seconds of all cores that went to programs, interrupts and other virtual machines since the
/// machine started (proc(5), /proc/stat); nothing where that is not told.
std::optional<double> busy_seconds() {
  std::ifstream file("/proc/stat");
  std::string cpu;
  // User, nice, system, idle, waiting for a disk, interrupts, soft interrupts, stolen.
  std::array<double, 8> ticks{};
  file >> cpu;
  for (double& each : ticks) file >> each;
  if (!file) return {};
  const double all = std::accumulate(ticks.begin(), ticks.end(), 0.0);
  return (all - ticks[3] - ticks[4]) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// Those of this process, by all of its threads.
double own_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

void Samples::add(double seconds) {
  ++count_;
  const double distance = seconds - mean_;
  mean_ += distance / static_cast<double>(count_);
  squares_ += distance * (seconds - mean_);
}

std::optional<double> Samples::noise() const {
  if (count_ < 2) return {};
  return std::sqrt(squares_ / static_cast<double>(count_ - 1)) / mean_;
}

bool StopRule::ends(const Samples& samples) const {
  if (samples.total() >= most_times_least_seconds * least_seconds) return true;
  return samples.count() >= least_samples && samples.total() >= least_seconds &&
         samples.noise() <= most_noise;
}

StopRule& stop_rule() {
  static StopRule rule;
  return rule;
}

double seconds_of(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  return taken.count();
}

void take_samples(benchmark::State& state, const std::function<double()>& sample) {
  Samples samples;
  const std::optional<double> busy = busy_seconds();
  const double own = own_seconds();
  const double passed = seconds_of([&] {
    for (auto _ : state) {
      do {
        samples.add(sample());
      } while (!stop_rule().ends(samples));
      state.SetIterationTime(samples.mean());
    }
  });
  state.counters["samples"] = static_cast<double>(samples.count());
  if (samples.noise()) state.counters["noise"] = *samples.noise();
  if (busy) {
    state.counters["other_cores"] = (*busy_seconds() - *busy - (own_seconds() - own)) / passed;
  }
}

}  // namespace impasto::bench
