// SPDX-License-Identifier: MIT
// On a GPU a row is timed by events around launches that are recorded as one: "/cold" over sets of
// tensors in turn, which together do not fit into the L2 cache, "/hot" over one set again and again.
#include <algorithm>
#include <cmath>
#include <cuda_runtime.h>
#include <fmt/format.h>

#include "benchmarks/ladder/ceilings.hpp"
#include "benchmarks/ladder/measure.hpp"

namespace impasto::bench::cuda {
namespace {

constexpr std::size_t least_launches = 20;  // between two events
// The L2 cache does not replace strictly in turn: of twice its size it would keep a fifth.
constexpr double times_l2 = 3;
constexpr std::size_t most_sets = 512;

/// FLOP/s in its precision; 0 where that is not known.
double peak_flops(const Ceilings& roof, const Contender& contender) {
  const bool by_threads = contender.rung.arithmetic == kernels::Arithmetic::fp32;
  const auto found = roof.find(
      fmt::format("{}_flops", by_threads ? "fma" : to_string(contender.backend->precision())));
  return found == roof.end() ? 0 : found->second;
}

}  // namespace

const Profile& profile() {
  static const Profile timed = {
      "Every rung of every kernel, timed on a GPU, with its caches cold and hot.",
      {"/cold", "/hot"},
      {"conv1_1@512", "conv2_1@512", "conv3_1@512", "conv4_1@512", "conv5_1@512"},
      {"--benchmark_repetitions=10"},
      {.least_seconds = 0.02, .most_noise = 0.01}};
  return timed;
}

Measure open_measure(Runtime& runtime) {
  const Ceilings roof = measure_ceilings(runtime);
  for (const auto& [name, rate] : roof) {
    add_context("ceiling_" + name, fmt::format("{:.4g}", rate));
  }
  add_context("sm_mhz behind the ceilings", fmt::format("{:.0f}", sm_megahertz(runtime)));
  // Without libraries there is no rung 0, and CUDA's version is all that is known.
  std::map<std::string, std::string> details = library_details(runtime);
  details.emplace("cuda", fmt::format("{}.{}", CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10));
  for (const auto& [name, value] : details) add_context(name, value);
  int l2_bytes = 0;
  cudaDeviceGetAttribute(&l2_bytes, cudaDevAttrL2CacheSize, runtime.index());
  const std::shared_ptr<impasto::cuda::Event> begin = runtime.make_event();
  const std::shared_ptr<impasto::cuda::Event> end = runtime.make_event();

  const auto sets = [=](const std::string& variant, double bytes) {
    const auto enough = static_cast<std::size_t>(std::ceil(times_l2 * l2_bytes / bytes));
    return variant == "/cold" ? std::clamp<std::size_t>(enough, 2, most_sets) : 1;
  };
  const auto loop = [=](benchmark::State& state, Runtime& queue, const Contender& contender,
                        const std::vector<Contender::Launch>& launches, const work::Work& work) {
    const std::size_t rounds = (least_launches + launches.size() - 1) / launches.size();
    const auto enqueue = [&] {
      for (std::size_t round = 0; round < rounds; ++round) {
        for (const Contender::Launch& launch : launches) launch();
      }
    };
    enqueue();  // warm code
    const auto recorded = queue.capture(enqueue);
    queue.replay(*recorded);  // the first launch of a graph brings it to the GPU
    take_samples(state, [&] {
      queue.record(*begin);
      queue.replay(*recorded);
      queue.record(*end);
      end->wait();
      const auto count = static_cast<double>(rounds * launches.size());
      return 1e-3 * end->milliseconds_since(*begin) / count;
    });
    state.counters["sm_mhz"] = sm_megahertz(queue);
    // No kernel moves more than the faster of the two, whatever its mixture of loads and stores.
    const bool in_l2 = contender.variant == "/hot" && work.bytes < l2_bytes;
    const std::string level = in_l2 ? "l2_" : "";
    const double moved = std::max(roof.at(level + "copy_bytes_per_second"),
                                  roof.at(level + "read_bytes_per_second"));
    const double rate = peak_flops(roof, contender);
    state.counters["roof_share"] =
        rate_of(std::max(work.bytes / moved, rate > 0 ? work.flops / rate : 0.0));
  };
  return {loop, sets};
}

}  // namespace impasto::bench::cuda
