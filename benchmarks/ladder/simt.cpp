// SPDX-License-Identifier: MIT
// On the host-SIMT machine a row is counted and not timed: its time is that of the machine and says
// nothing about any GPU.
#include "benchmarks/ladder/measure.hpp"
#include "simt/machine.hpp"

namespace impasto::bench::emulated {

/// Few pixels: a thread takes microseconds here. The ratios to the work are those of any size.
const Profile& profile() {
  static const Profile counted = {
      "Every rung of every kernel, counted on the host-SIMT machine: no time is a GPU's.",
      {""},
      {"16x16x64", "8x16x128"},
      {},
      {0, 0}};
  return counted;
}

Measure open_measure(Runtime& /*runtime*/) {
  const auto loop = [](benchmark::State& state, Runtime& runtime, const Contender& /*contender*/,
                       const std::vector<Contender::Launch>& launches, const work::Work& /*work*/) {
    simt::Counter counter;
    for (auto _ : state) {
      state.SetIterationTime(seconds_of([&] {
        counter = simt::Counter();
        simt::Machine::get().set_counter(&counter);
        launches.front()();
        runtime.synchronize();
        simt::Machine::get().set_counter(nullptr);
      }));
    }
    for (const char* rate : {"GB/s", "TFLOP/s"}) state.counters.erase(rate);
    const simt::LaunchCounts counts = counter.total();
    const auto number = [](std::uint64_t count) { return static_cast<double>(count); };
    state.counters["loaded_bytes"] = number(counts.loads.bytes);
    state.counters["stored_bytes"] = number(counts.stores.bytes);
    state.counters["sectors_per_request"] = number(counts.loads.sectors + counts.stores.sectors) /
                                            number(counts.loads.requests + counts.stores.requests);
    state.counters["shared_requests"] = number(counts.shared_requests);
    state.counters["bank_conflicts"] = number(counts.bank_conflicts);
    state.counters["barriers"] = number(counts.barriers);
    state.counters["launches"] = number(counter.launches().size());
  };
  return {loop};
}

}  // namespace impasto::bench::emulated
