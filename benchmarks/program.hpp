// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>
#include <benchmark/benchmark.h>
#include <functional>
#include <string>
#include <vector>

#include "benchmarks/sampling.hpp"
#include "host/check/operation.hpp"

namespace impasto::bench {

/// What differs between the benchmark programs.
struct Program {
  std::string about = {};  ///< for --help: what a row is
  std::function<void(CLI::App& app)> add_options = [](CLI::App& /*app*/) {};
  /// What the lists of words offer, for --list and at the end of --help.
  std::function<std::string()> choices = [] { return std::string(); };
  std::vector<std::string> flags = {};  ///< Google Benchmark's, unless the command line differs
  StopRule rule = {};                   ///< the same
  std::function<void()> register_rows = {};  ///< after the options were taken; adds to the context
};

/// main(). Shows rows on the terminal and writes them to a file as JSON, but for
/// rows that carry no counter `verified` and rows above their roof (`roof_share`): these are named
/// on stderr, and the program ends with 8. An Error ends it with its kind, an option that is not
/// understood with 2.
int run_program(int argc, char** argv, const Program& program);

/// Says on what and by what is measured: to every output.
void add_context(const std::string& key, const std::string& value);

/// Registers a row, unless --benchmark_filter leaves it out: then it returns null. Its body sets the
/// time of each iteration itself. The terminal shows it as `own` in the table `heading`.
benchmark::internal::Benchmark* add_row(const std::string& name, const std::string& heading,
                                        const std::string& own,
                                        const std::function<void(benchmark::State&)>& body);

/// For a row's counters: so much is done in each iteration.
inline benchmark::Counter rate_of(double amount) {
  return {amount, benchmark::Counter::kIsIterationInvariantRate};
}

/// The counters of a row whose result was verified: its work, as such and by time.
inline void report(benchmark::State& state, const work::Work& work) {
  state.counters["GB/s"] = rate_of(1e-9 * work.bytes);
  state.counters["TFLOP/s"] = rate_of(1e-12 * work.flops);
  state.counters["bytes"] = work.bytes;
  state.counters["flops"] = work.flops;
  state.counters["verified"] = 1;
}

}  // namespace impasto::bench
