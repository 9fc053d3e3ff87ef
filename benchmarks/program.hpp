// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>
#include <benchmark/benchmark.h>
#include <functional>
#include <string>
#include <vector>

#include "host/check/operation.hpp"

namespace impasto::bench {

/// What differs between the benchmark programs.
struct Program {
  std::string about = {};  ///< for --help: what a row is
  std::function<void(CLI::App& app)> add_options = [](CLI::App& /*app*/) {};
  std::string footer = {};              ///< for --help: what the lists of words offer
  std::vector<std::string> flags = {};  ///< Google Benchmark's, unless the command line differs
  std::function<void()> register_rows = {};  ///< after the options were taken; adds to the context
};

/// main(). Shows on the terminal and writes to a file (JSON) what Google Benchmark would, but for
/// rows that carry no counter `verified` and rows above their roof (`roof_share`):
/// these are named on stderr, and the program ends with 8. An Error ends it with its kind, an
/// option that is not understood with 2.
int run_program(int argc, char** argv, const Program& program);

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
  state.counters["intensity"] = work.flops / work.bytes;
  state.counters["verified"] = 1;
}

}  // namespace impasto::bench
