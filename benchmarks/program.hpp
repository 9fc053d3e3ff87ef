// SPDX-License-Identifier: MIT
#pragma once

#include <benchmark/benchmark.h>
#include <cstdint>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/work.hpp"
#include "host/backend/registry.hpp"

namespace impasto::bench {

/// What every benchmark program takes on its command line besides Google Benchmark's options: each
/// member as --member=VALUE.
struct Settings {
  std::int64_t size = 256;  ///< side of the square pictures
  std::string backend = "auto";
  std::optional<Precision> precision;  ///< all that the backend offers, if none is given
  Tuning tuning = Tuning::cached;      ///< off with --no-plan-cache

  // Of iteration_bench alone. Without files it makes its own network and pictures.
  std::int64_t batch = 1;  ///< pictures side by side
  std::string weights;
  std::string content;
  std::string style;
};

/// Each program's own part: registers its benchmarks.
void register_benchmarks(const Settings& settings);

/// Calls `body(backend)` for the precision that is asked for, or else for each that the chosen
/// backend offers. Benchmarks keep the backend.
template <class Body>
void for_each_precision(const Settings& settings, Body body) {
  const std::string name = make_backend(settings.backend)->name();
  std::vector<Precision> precisions;
  for (const BackendEntry& entry : list_backends()) {
    if (entry.name == name) precisions = entry.precisions;
  }
  if (settings.precision) precisions = {*settings.precision};
  for (const Precision precision : precisions) {
    body(std::shared_ptr<Backend>(make_backend(name, precision, settings.tuning)));
  }
}

/// A benchmark by its parts, "gram/fp32/conv3_1/256", timed by the clock: other threads work too.
template <class Body>
void add(const std::string& name, Body body) {
  benchmark::RegisterBenchmark(name.c_str(), std::move(body))
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
}

/// The rates that go with a time.
inline void report(benchmark::State& state, const work::Work& work) {
  const auto rate = [](double amount) {
    return benchmark::Counter(amount, benchmark::Counter::kIsIterationInvariantRate);
  };
  if (work.flops > 0) state.counters["FLOP/s"] = rate(work.flops);
  if (work.bytes > 0) state.counters["bytes/s"] = rate(work.bytes);
}

/// Times `run`, which enqueues one operation on `backend`.
template <class Run>
void measure(benchmark::State& state, Backend& backend, const work::Work& work, Run run) {
  run();  // what is made at the first call with a shape
  backend.synchronize();
  for (auto _ : state) {
    run();
    backend.synchronize();
  }
  report(state, work);
}

}  // namespace impasto::bench
