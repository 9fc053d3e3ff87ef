// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/operation_rows.hpp"
#include "host/runtime/runtime.hpp"

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

/// How a device measures.
struct Measure {
  /// The benchmark's loop over launches on the runtime's stream, and the counters that only this
  /// device has.
  std::function<void(benchmark::State& state, Runtime& runtime, const Contender& contender,
                     const std::vector<Contender::Launch>& launches, const work::Work& work)>
      loop = {};
  Contender::Sets sets = Contender().sets;
};
/// Measures first what the device can do at most, and adds that to the context.
Measure open_measure(Runtime& runtime);

/// Rung 0 of a ladder, rung_0_<library>: the `rung` and the `instead` of a contender for each library
/// that can be loaded and has a way to do the same in this precision. On the host-SIMT machine there
/// are none. `instead` times all that the library proposes; it throws ErrorKind::backend where nothing
/// of it runs.
std::vector<Contender> library_rungs(std::string_view op, Runtime& runtime, Precision precision);

/// On a GPU, what it and the libraries are called and their versions, by name; empty without libraries.
std::map<std::string, std::string> library_details(const Runtime& runtime);

}  // namespace impasto::bench::IMPASTO_DEVICE
