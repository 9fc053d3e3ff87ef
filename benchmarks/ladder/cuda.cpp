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

/// FLOP/s for maps of this type; 0 where that is not known.
double peak_flops(const Ceilings& roof, DataType type, kernels::Arithmetic arithmetic) {
  const char* name = arithmetic == kernels::Arithmetic::fp32 ? "fma_flops"
                     : type == DataType::f32                 ? "tf32_flops"
                     : type == DataType::bf16                ? "bf16_flops"
                                                             : "fp16_flops";
  const auto found = roof.find(name);
  return found == roof.end() ? 0 : found->second;
}

}  // namespace

struct Measure::State {
  Ceilings ceilings;
  int l2_bytes = 0;
  std::shared_ptr<void> flush;  ///< twice as large as L2
  std::unique_ptr<impasto::cuda::Event> begin;
  std::unique_ptr<impasto::cuda::Event> end;
};

Measure::Measure(Runtime& runtime)
    : state_(new State{measure_ceilings(runtime), 0, nullptr, runtime.make_event(),
                       runtime.make_event()}) {
  cudaDeviceGetAttribute(&state_->l2_bytes, cudaDevAttrL2CacheSize, runtime.index());
  state_->flush = runtime.allocate(2 * static_cast<std::size_t>(state_->l2_bytes));
  for (const auto& [name, rate] : state_->ceilings) {
    benchmark::AddCustomContext("ceiling_" + name, fmt::format("{:.4g}", rate));
  }
  // Without libraries there is no rung 0, and CUDA's version is all that is known.
  const DeviceEntry device = list_cuda_devices().at(static_cast<std::size_t>(runtime.index()));
  if (device.details.empty()) {
    benchmark::AddCustomContext(
        "cuda", fmt::format("{}.{}", CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10));
  }
  for (const auto& [name, value] : device.details) benchmark::AddCustomContext(name, value);
}

Measure::~Measure() = default;

std::string Measure::about() {
  return "Every rung of every kernel, timed on a GPU, with its caches cold and hot.";
}
std::vector<std::string> Measure::variants() { return {"/cold", "/hot"}; }
std::vector<std::string> Measure::default_shapes() {
  return {"conv1_1@512", "conv2_1@512", "conv3_1@512", "conv4_1@512", "conv5_1@512"};
}
std::vector<std::string> Measure::default_flags() {
  return {"--benchmark_min_time=0.02", "--benchmark_repetitions=10",
          "--benchmark_display_aggregates_only=true"};
}

std::optional<double> Measure::run(benchmark::State& state, Runtime& runtime, const Task& task,
                                   const std::string& variant) {
  const bool cold = variant == "/cold";
  const int launches = cold ? 1 : hot_launches;
  for (int i = 0; i < warm_up; ++i) task.launch();
  const auto hot = cold ? nullptr : runtime.capture([&] {
    for (int i = 0; i < launches; ++i) task.launch();
  });
  for (auto _ : state) {
    // The host launches while the flush is under way: nothing waits for it between the events.
    if (cold)
      runtime.fill_zero(state_->flush.get(), 2 * static_cast<std::size_t>(state_->l2_bytes));
    runtime.record(*state_->begin);
    cold ? task.launch() : runtime.replay(*hot);
    runtime.record(*state_->end);
    state_->end->wait();
    state.SetIterationTime(1e-3 * state_->end->milliseconds_since(*state_->begin) / launches);
  }
  const Ceilings& roof = state_->ceilings;
  // No kernel moves more than the faster of the two, whatever its mixture of loads and stores.
  const std::string level = !cold && task.work.bytes < state_->l2_bytes ? "l2_" : "";
  const double moved =
      std::max(roof.at(level + "copy_bytes_per_second"), roof.at(level + "read_bytes_per_second"));
  const double rate = peak_flops(roof, task.storage, task.arithmetic);
  return std::max(task.work.bytes / moved, rate > 0 ? task.work.flops / rate : 0.0);
}

}  // namespace impasto::bench::cuda
