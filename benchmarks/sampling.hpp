// SPDX-License-Identifier: MIT
// How long a row is measured: its samples, and when there are enough of them.
#pragma once

#include <benchmark/benchmark.h>
#include <cstdint>
#include <functional>
#include <optional>

namespace impasto::bench {

/// Times of the same work, one after the other, in seconds.
class Samples {
 public:
  void add(double seconds);
  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] double total() const { return mean_ * static_cast<double>(count_); }
  [[nodiscard]] double mean() const { return mean_; }
  /// Standard deviation over mean; nothing for one sample.
  [[nodiscard]] std::optional<double> noise() const;

 private:
  std::int64_t count_ = 0;
  double mean_ = 0;
  double squares_ = 0;  ///< of the distances from the mean, summed (Welford)
};

/// When a repetition ends: after `least_seconds` and `least_samples` of samples, as soon as their
/// noise is at most `most_noise`, and in any case after five times `least_seconds`. It is nvbench's
/// criterion "stdrel", with that end in place of nvbench's time-out and of its second test, whether
/// the noise has stopped falling.
struct StopRule {
  /// nvbench's, too. Few samples look calm by chance: of normal ones that are five times as noisy as
  /// allowed, two pass 16 times in 100, ten less than once in 100 000.
  static constexpr std::int64_t least_samples = 10;

  double least_seconds = 0.5;
  double most_noise = 0.05;

  [[nodiscard]] bool ends(const Samples& samples) const;
};

/// The rule of this program: --benchmark_min_time and --max-noise.
StopRule& stop_rule();

/// The loop of a row: takes samples until the rule ends it, and sets the time to their mean.
/// `sample` returns seconds. Counters: `samples`, their `noise` if there are several, and
/// `other_cores`, how many of the machine's cores were busy with something else meanwhile, other
/// virtual machines included.
void take_samples(benchmark::State& state, const std::function<double()>& sample);

/// Seconds by the clock: other threads work, too.
double seconds_of(const std::function<void()>& body);

}  // namespace impasto::bench
