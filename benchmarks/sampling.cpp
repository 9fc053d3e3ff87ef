// SPDX-License-Identifier: MIT
#include "benchmarks/sampling.hpp"

#include <chrono>
#include <cmath>
#include <fstream>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace impasto::bench {
namespace {

constexpr double most_times_least_seconds = 5;

/// Seconds of all cores that went to programs, interrupts and other virtual machines since the
/// machine started (proc(5), /proc/stat); nothing where that is not told.
std::optional<double> busy_seconds() {
  std::ifstream file("/proc/stat");
  std::string cpu;
  double user = 0;
  double nice = 0;
  double system = 0;
  double idle = 0;
  double waiting = 0;
  double interrupts = 0;
  double soft_interrupts = 0;
  double stolen = 0;
  file >> cpu >> user >> nice >> system >> idle >> waiting >> interrupts >> soft_interrupts >>
      stolen;
  if (!file) return {};
  return (user + nice + system + interrupts + soft_interrupts + stolen) /
         static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// Those of this process.
double own_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

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
  static StopRule rule{0.5, 0.05};
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
