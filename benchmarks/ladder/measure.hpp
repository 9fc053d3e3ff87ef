// SPDX-License-Identifier: MIT
#pragma once

#include <benchmark/benchmark.h>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/check/work.hpp"
#include "host/runtime/runtime.hpp"
#include "kernels/common/arithmetic.hpp"

namespace impasto::bench::IMPASTO_DEVICE {

using impasto::IMPASTO_DEVICE::Runtime;

/// What a row does, and with what.
struct Task {
  std::function<void()> launch;
  work::Work work;
  DataType storage = DataType::f32;
  kernels::Arithmetic arithmetic = kernels::Arithmetic::fp32;
};

/// How a device's rows are named and measured: simt.cpp counts, cuda.cpp times.
class Measure {
 public:
  /// Measures what the device can do at most, and adds it to the context.
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
  std::optional<double> run(benchmark::State& state, Runtime& runtime, const Task& task,
                            const std::string& variant);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace impasto::bench::IMPASTO_DEVICE
