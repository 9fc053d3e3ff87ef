// SPDX-License-Identifier: MIT
#pragma once

#include <benchmark/benchmark.h>
#include <memory>
#include <optional>

#include "benchmarks/ladder/contender.hpp"

namespace impasto::bench::IMPASTO_DEVICE {

/// How a device's rows are named and measured: simt.cpp counts, cuda.cu times.
class Measure {
 public:
  explicit Measure(Runtime& runtime);
  Measure(const Measure&) = delete;
  Measure& operator=(const Measure&) = delete;
  ~Measure();

  /// What the program is, for --help.
  static std::string about();
  /// What is added to a row's name, one row for each: "" or "/cold" and "/hot".
  static std::vector<std::string> variants();
  /// Shapes for a command line that names none.
  static std::vector<std::string> default_shapes();

  /// Google Benchmark's flags where the command line does not say otherwise.
  static std::vector<std::string> default_flags();

  /// The benchmark's loop, and the counters that only this device has. The seconds that the row
  /// would take at the roof, where it was timed.
  std::optional<double> run(benchmark::State& state, const Contender& contender, const Point& point,
                            const std::string& variant);

 private:
  struct State;
  std::unique_ptr<State> state_;
  Runtime& runtime_;
};

}  // namespace impasto::bench::IMPASTO_DEVICE
