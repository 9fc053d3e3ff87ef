// SPDX-License-Identifier: MIT
#pragma once

#include <benchmark/benchmark.h>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/program.hpp"
#include "host/runtime/runtime.hpp"
#include "kernels/common/ladder.hpp"

/// What differs between the programs: simt.cpp counts on the host-SIMT machine, cuda.cpp and
/// cuda_libraries.cpp time on a GPU.
namespace impasto::bench::IMPASTO_DEVICE {

using impasto::IMPASTO_DEVICE::Runtime;

/// How a device's rows are named and what its command line starts from.
struct Profile {
  std::string about;                  ///< for --help
  std::vector<std::string> variants;  ///< added to a row's name, one row for each
  std::vector<std::string> shapes;    ///< for a command line that names none
  std::vector<std::string> flags;  ///< Google Benchmark's, where the command line does not differ
};
const Profile& profile();

/// What a row does on the runtime's stream, and with what.
struct Task {
  Runtime* runtime;
  std::function<void()> launch;
  work::Work work;
  DataType storage = DataType::f32;
  kernels::Arithmetic arithmetic = kernels::Arithmetic::fp32;
};

/// The benchmark's loop, and the counters that only this device has.
using Measure =
    std::function<void(benchmark::State& state, const Task& task, const std::string& variant)>;
/// Measures first what the device can do at most, and adds that to the context.
Measure open_measure(Runtime& runtime);

/// Rung 0 of a ladder, rung_0_<library>: a library's fastest way to do the same on these tensors,
/// of all that it proposes. They are timed when it is first launched, which must not be recorded.
/// `launch` throws ErrorKind::backend where the library has none. Null for a rung of our own.
struct LibraryRung {
  kernels::Rung rung;
  std::function<void()> launch;
};

/// Of the libraries that can be loaded; on the host-SIMT machine there are none. `tensors` are
/// those of the backend's function, outputs first.
std::vector<LibraryRung> library_rungs(std::string_view op, Runtime& runtime,
                                       std::span<const Tensor> tensors);

}  // namespace impasto::bench::IMPASTO_DEVICE
