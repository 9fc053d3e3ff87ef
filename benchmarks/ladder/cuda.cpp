// SPDX-License-Identifier: MIT
// On a GPU a row is timed by events: "/cold" with the L2 cache flushed before every launch, "/hot"
// with launches back to back.
#include <algorithm>
#include <cuda_runtime.h>
#include <fmt/format.h>
#include <map>

#include "benchmarks/ladder/ceilings.hpp"
#include "benchmarks/ladder/measure.hpp"
#include "host/backend/cuda/cuda_backend.hpp"

namespace impasto::bench::cuda {
namespace {

constexpr int warm_up = 3;
constexpr int hot_launches = 20;  // between two events, recorded: the host launches them as one

double peak_flops(const Ceilings& roof, DataType type, kernels::Arithmetic arithmetic) {
  if (arithmetic == kernels::Arithmetic::fp32) return roof.fma;
  return type == DataType::f32 ? roof.tf32 : type == DataType::bf16 ? roof.bf16 : roof.fp16;
}

}  // namespace

struct Measure::State {
  Ceilings ceilings;
  std::shared_ptr<void> flush;
  std::size_t flush_bytes = 0;
  std::unique_ptr<impasto::cuda::Event> begin;
  std::unique_ptr<impasto::cuda::Event> end;
};

Measure::Measure(Runtime& runtime) : state_(std::make_unique<State>()) {
  state_->begin = runtime.make_event();
  state_->end = runtime.make_event();
  state_->ceilings = measure_ceilings(runtime);
  state_->flush_bytes = 2 * state_->ceilings.l2_bytes;
  state_->flush = runtime.allocate(state_->flush_bytes);
  const Ceilings& roof = state_->ceilings;
  const auto context = [](const char* name, double value) {
    benchmark::AddCustomContext(name, fmt::format("{:.4g}", value));
  };
  context("ceiling_copy_bytes_per_second", roof.copy);
  context("ceiling_read_bytes_per_second", roof.read);
  context("ceiling_l2_copy_bytes_per_second", roof.l2_copy);
  context("ceiling_l2_read_bytes_per_second", roof.l2_read);
  context("ceiling_fma_flops", roof.fma);
  context("ceiling_tf32_flops", roof.tf32);
  context("ceiling_bf16_flops", roof.bf16);
  context("ceiling_fp16_flops", roof.fp16);
  std::map<std::string, std::string> details;
  details["cuda"] = fmt::format("{}.{}", CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10);
  // Without libraries there is no rung 0.
  for (const DeviceEntry& device : list_cuda_devices()) {
    details.insert(device.details.begin(), device.details.end());
  }
  for (const auto& [name, value] : details) benchmark::AddCustomContext(name, value);
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
    if (cold) runtime.fill_zero(state_->flush.get(), state_->flush_bytes);
    runtime.record(*state_->begin);
    cold ? task.launch() : runtime.replay(*hot);
    runtime.record(*state_->end);
    state_->end->wait();
    state.SetIterationTime(1e-3 * state_->end->milliseconds_since(*state_->begin) / launches);
  }
  const Ceilings& roof = state_->ceilings;
  const bool in_l2 = !cold && task.work.bytes < static_cast<double>(roof.l2_bytes);
  // No kernel moves more than the faster of the two, whatever its mixture of loads and stores.
  const double moved =
      in_l2 ? std::max(roof.l2_copy, roof.l2_read) : std::max(roof.copy, roof.read);
  const double memory = task.work.bytes / moved;
  const double rate = peak_flops(roof, task.storage, task.arithmetic);
  return std::max(memory, rate > 0 ? task.work.flops / rate : 0.0);
}

}  // namespace impasto::bench::cuda
