// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/operation_rows.hpp"
#include "host/runtime/runtime.hpp"
#include "kernels/common/ladder.hpp"

/// What differs between the programs: simt.cpp counts on the host-SIMT machine, cuda.cpp times on a
/// GPU, cuda_libraries.cpp has its libraries, no_libraries.cpp none.
namespace impasto::bench::IMPASTO_DEVICE {

using impasto::IMPASTO_DEVICE::Runtime;

/// How a device's rows are named and what its command line starts from.
struct Profile {
  std::string about;                  ///< for --help
  std::vector<std::string> variants;  ///< added to a row's name, one row for each
  std::vector<std::string> shapes;    ///< for a command line that names none
  std::vector<std::string> flags;  ///< Google Benchmark's, where the command line does not differ
  StopRule rule;                   ///< the same
};
const Profile& profile();

/// What a row does on the runtime's stream, and with what. Each launch is the same on tensors of its
/// own.
struct Task {
  Runtime* runtime;
  std::vector<Contender::Launch> launches;
  work::Work work;
  Precision precision;
  kernels::Arithmetic arithmetic;
  std::string variant;
};

/// How a device measures.
struct Measure {
  /// The benchmark's loop, and the counters that only this device has.
  std::function<void(benchmark::State& state, const Task& task)> loop = {};
  /// How many sets of tensors take turns in a variant, for so many bytes in one.
  std::function<std::size_t(const std::string& variant, double bytes)> sets =
      [](const std::string& /*variant*/, double /*bytes*/) { return 1; };
};
/// Measures first what the device can do at most, and adds that to the context.
Measure open_measure(Runtime& runtime);

/// Rung 0 of a ladder, rung_0_<library>: a library's fastest way to do the same. `fastest` times all
/// that it proposes on the tensors of the backend's function, outputs first; it throws
/// ErrorKind::backend where the library has none. Empty for a rung of our own.
struct LibraryRung {
  kernels::Rung rung;
  decltype(Contender::instead) fastest = {};
};

/// Of the libraries that can be loaded, in this precision; on the host-SIMT machine there are none.
std::vector<LibraryRung> library_rungs(std::string_view op, Runtime& runtime, Precision precision);

/// On a GPU, what it and the libraries are called and their versions, by name; empty without libraries.
std::map<std::string, std::string> library_details(const Runtime& runtime);

}  // namespace impasto::bench::IMPASTO_DEVICE
