// SPDX-License-Identifier: MIT
#pragma once

#include <benchmark/benchmark.h>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/check/work.hpp"
#include "host/runtime/runtime.hpp"
#include "kernels/common/ladder.hpp"

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

/// Rung 0 of a ladder, rung_0_<library>: a library's fastest way to do the same on these tensors,
/// of all that it proposes. They are timed when it is first launched, which must not be recorded.
/// `launch` throws ErrorKind::backend where the library has none.
struct LibraryRung {
  kernels::Rung rung;
  std::function<void()> launch;
};

/// Of the libraries that can be loaded; on the host-SIMT machine there are none. `tensors` are
/// those of the backend's function, outputs first.
std::vector<LibraryRung> library_rungs(std::string_view op, Runtime& runtime,
                                       std::span<const Tensor> tensors);

}  // namespace impasto::bench::IMPASTO_DEVICE
