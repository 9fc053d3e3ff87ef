// SPDX-License-Identifier: MIT
// Prints benchmarks/results/model/work.json: floating-point operations and bytes of every step of
// one iteration of the preset coursera, for square pictures of several sizes and both widths of a
// stored value (benchmarks/step_work.hpp); and of every rung of every ladder at 512×512 what it
// executes and asks of memory (benchmarks/rung_work.hpp). benchmarks/report/ divides them by what a
// machine can do.
#include <array>
#include <exception>
#include <fmt/format.h>
#include <string>

#include "benchmarks/rung_work.hpp"
#include "benchmarks/step_work.hpp"
#include "host/engine/config.hpp"
#include "host/engine/plan.hpp"

namespace impasto {
namespace {

std::string steps_json(std::int64_t size, DataType type) {
  const Config config = preset("coursera");
  const Network network(config.objective.pool);
  const Shape pixels{1, size, size, 3};
  const Plan plan(network, config, pixels, DataType::f32, type);
  const auto& steps = plan.iteration().steps();
  const auto works = work::of_steps(steps, network, config.objective.pool, pixels, type);
  std::string json;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    json += fmt::format("{}\n   \"{}\": [{:.0f}, {:.0f}]", i == 0 ? "" : ",", steps[i].name,
                        works[i].flops, works[i].bytes);
  }
  return json;
}

std::string rung_json(const work::RungWork& row) {
  const bool tensor_cores = row.rung.arithmetic == kernels::Arithmetic::tensor_cores;
  return fmt::format(
      R"({{"op": "{}", "shape": "{}", "precision": "{}", "rung": "{}", "idea": "{}", )"
      R"("tensor_cores": {}, "least_sm": {}, "sm_90a": {}, "ships": {}, "flops": {:.0f}, )"
      R"("bytes": {:.0f}, "least": [{:.0f}, {:.0f}]}})",
      row.op, row.shape, row.precision, row.rung.name, row.rung.idea, tensor_cores,
      row.rung.least_sm, row.rung.sm_90a, row.ships, row.flops,
      row.traffic.loaded + row.traffic.stored, row.least.flops, row.least.bytes);
}

void print_table() {
  fmt::print("{{\n \"preset\": \"coursera\",\n \"iterations\": [");
  bool first = true;
  // Those that GPUs are predicted at, and the smaller ones that CPUs are measured at.
  constexpr std::array<std::int64_t, 8> sizes = {128, 192, 256, 384, 512, 1024, 2048, 4096};
  for (const std::int64_t size : sizes) {
    for (const DataType type : {DataType::f32, DataType::bf16}) {
      fmt::print("{}\n  {{\"size\": {}, \"bytes_per_value\": {}, \"steps\": {{{}}}}}",
                 first ? "" : ",", size, size_of(type), steps_json(size, type));
      first = false;
    }
  }
  fmt::print("\n ],\n \"rungs\": [");
  first = true;
  for (const work::RungWork& row : work::rung_works(512)) {
    fmt::print("{}\n  {}", first ? "" : ",", rung_json(row));
    first = false;
  }
  fmt::print("\n ]\n}}\n");
}

}  // namespace
}  // namespace impasto

int main() {
  try {
    impasto::print_table();
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "work_table: {}\n", error.what());
    return 1;
  }
}
