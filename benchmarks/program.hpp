// SPDX-License-Identifier: MIT
#pragma once

#include <benchmark/benchmark.h>
#include <cstdint>
#include <fmt/format.h>
#include <memory>
#include <string>
#include <utility>

#include "benchmarks/work.hpp"
#include "host/backend/registry.hpp"

namespace impasto::bench {

/// What every benchmark program takes on its command line besides Google Benchmark's options.
struct Settings {
  std::int64_t size = 256;  ///< side of the square picture: --size N
  std::string backend = "auto";
};

/// Each program's own part: registers its benchmarks.
void register_benchmarks(const Settings& settings);

/// Calls `body(backend)` for each precision the chosen backend offers. Benchmarks keep the backend.
template <class Body>
void for_each_precision(const Settings& settings, Body body) {
  const std::string name = make_backend(settings.backend)->name();
  for (const BackendEntry& entry : list_backends()) {
    if (entry.name != name) continue;
    for (const Precision precision : entry.precisions) {
      body(std::shared_ptr<Backend>(make_backend(name, precision)));
    }
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
