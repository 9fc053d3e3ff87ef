// SPDX-License-Identifier: MIT
// On a GPU a row is timed by events: "/cold" with the L2 cache flushed before every launch, "/hot"
// with launches back to back.
#include <algorithm>
#include <cuda_runtime.h>
#include <fmt/format.h>

#include "benchmarks/ladder/ceilings.hpp"
#include "benchmarks/ladder/measure.hpp"
#include "host/backend/cuda/cuda_backend.hpp"

namespace impasto::bench::cuda {
namespace {

constexpr int warm_up = 3;
constexpr int hot_launches = 20;  // between two events, recorded: the host launches them as one

/// FLOP/s in this precision; 0 where that is not known.
double peak_flops(const Ceilings& roof, Precision precision, kernels::Arithmetic arithmetic) {
  const bool by_threads = arithmetic == kernels::Arithmetic::fp32;
  const auto found = roof.find(fmt::format("{}_flops", by_threads ? "fma" : to_string(precision)));
  return found == roof.end() ? 0 : found->second;
}

}  // namespace

const Profile& profile() {
  static const Profile timed = {
      "Every rung of every kernel, timed on a GPU, with its caches cold and hot.",
      {"/cold", "/hot"},
      {"conv1_1@512", "conv2_1@512", "conv3_1@512", "conv4_1@512", "conv5_1@512"},
      {"--benchmark_min_time=0.02", "--benchmark_repetitions=10"}};
  return timed;
}

Measure open_measure(Runtime& runtime) {
  const Ceilings roof = measure_ceilings(runtime);
  for (const auto& [name, rate] : roof) {
    add_context("ceiling_" + name, fmt::format("{:.4g}", rate));
  }
  // Without libraries there is no rung 0, and CUDA's version is all that is known.
  const DeviceEntry device = list_cuda_devices().at(static_cast<std::size_t>(runtime.index()));
  if (device.details.empty()) {
    add_context("cuda", fmt::format("{}.{}", CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10));
  }
  for (const auto& [name, value] : device.details) add_context(name, value);
  int l2_bytes = 0;
  cudaDeviceGetAttribute(&l2_bytes, cudaDevAttrL2CacheSize, runtime.index());
  const std::size_t flush_bytes = 2 * static_cast<std::size_t>(l2_bytes);
  const std::shared_ptr<void> flush = runtime.allocate(flush_bytes);
  const std::shared_ptr<impasto::cuda::Event> begin = runtime.make_event();
  const std::shared_ptr<impasto::cuda::Event> end = runtime.make_event();

  return [=](benchmark::State& state, const Task& task) {
    Runtime& queue = *task.runtime;
    const bool cold = task.variant == "/cold";
    const int launches = cold ? 1 : hot_launches;
    for (int i = 0; i < warm_up; ++i) task.launch();
    const auto hot = cold ? nullptr : queue.capture([&] {
      for (int i = 0; i < launches; ++i) task.launch();
    });
    for (auto _ : state) {
      // The host launches while the flush is under way: nothing waits for it between the events.
      if (cold) queue.fill_zero(flush.get(), flush_bytes);
      queue.record(*begin);
      cold ? task.launch() : queue.replay(*hot);
      queue.record(*end);
      end->wait();
      state.SetIterationTime(1e-3 * end->milliseconds_since(*begin) / launches);
    }
    // No kernel moves more than the faster of the two, whatever its mixture of loads and stores.
    const std::string level = !cold && task.work.bytes < l2_bytes ? "l2_" : "";
    const double moved = std::max(roof.at(level + "copy_bytes_per_second"),
                                  roof.at(level + "read_bytes_per_second"));
    const double rate = peak_flops(roof, task.precision, task.arithmetic);
    state.counters["roof_share"] =
        rate_of(std::max(task.work.bytes / moved, rate > 0 ? task.work.flops / rate : 0.0));
  };
}

}  // namespace impasto::bench::cuda
