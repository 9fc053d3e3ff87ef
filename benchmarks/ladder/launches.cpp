// SPDX-License-Identifier: MIT
// What each rung of the Gram ladder launches at VGG-19's style layers for a picture of 512×512, and
// what the threads of its first launch ask for, counted on few pixels: benchmarks/prediction.py
// works out times from it. Prints JSON.
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <string>
#include <vector>

#include "benchmarks/ladder/device.hpp"
#include "host/check/ladders.hpp"
#include "kernels/common/tuning.hpp"
#include "simt/machine.hpp"

namespace impasto::bench::emulated {
namespace {

using namespace impasto::emulated;

constexpr std::int64_t side_of_picture = 512;
constexpr std::int64_t counted_side = 8;

/// What one run of a rung launches. With `stay` the kernels do nothing.
std::vector<simt::LaunchCounts> launches(const Device& device, const Ladder& ladder,
                                         const kernels::Rung& rung, const Shape& map,
                                         simt::Counter::Kernels kernels) {
  Backend& backend = *device.backend;
  const kernels::ForcedRung forced(ladder.op.name, rung.name);
  Workbench bench(backend, backend.activation_type());
  const OpCase op_case = ladder.op.cases(map, map.channels, backend.activation_type()).front();
  const Prepared prepared = op_case.prepare(backend, bench);
  backend.synchronize();
  simt::Counter counter(kernels);
  simt::Machine::get().set_counter(&counter);
  prepared.run();
  backend.synchronize();
  simt::Machine::get().set_counter(nullptr);
  return counter.launches();
}

/// A line of JSON. L1 takes a request in a pass, or four of its sectors.
std::string row(const Device& device, const Ladder& ladder, const kernels::Rung& rung, int block) {
  using enum simt::Counter::Kernels;
  const std::int64_t side = side_of_picture >> (block - 1);
  const std::int64_t channels = std::int64_t{32} << std::min(block, 4);
  const auto counted =
      launches(device, ladder, rung, {1, counted_side, counted_side, channels}, run).front();
  const auto per_pixel = [](std::uint64_t count) {
    return static_cast<double>(count) / (counted_side * counted_side);
  };
  std::string text = fmt::format(
      R"({{"name": "{}/{}/conv{}_1@{}/{}/batch:1", "tensor_cores": {}, "pixels": {}, "channels": {}, )"
      R"("l1_passes_per_pixel": {:.6g}, "bytes_per_pixel": {:.6g}, "shared_passes_per_pixel": {:.6g}, )"
      R"("launches": [)",
      ladder.op.name, rung.name, block, side_of_picture, to_string(device.backend->precision()),
      rung.arithmetic == kernels::Arithmetic::tensor_cores ? 1 : 0, side * side, channels,
      std::max(per_pixel(counted.loads.requests), per_pixel(counted.loads.sectors) / 4),
      per_pixel(counted.loads.bytes), per_pixel(counted.shared_requests + counted.bank_conflicts));
  std::string_view comma;
  for (const simt::LaunchCounts& each :
       launches(device, ladder, rung, {1, side, side, channels}, stay)) {
    text += fmt::format(R"({}{{"kernel": "{}", "blocks": {}, "threads": {}, "shared_bytes": {}}})",
                        comma, each.kernel, each.blocks, each.threads, each.shared_bytes);
    comma = ", ";
  }
  return text + "]}";
}

void print() {
  std::string rows;
  for (const Precision precision : {Precision::bf16, Precision::fp32}) {
    const Device device(precision);
    for (const Ladder& ladder : ladders()) {
      if (ladder.op.name != "gram") continue;
      for (const kernels::Rung& rung : ladder.rungs.at(precision)) {
        for (int block = 1; block <= 5; ++block) {
          rows +=
              fmt::format("{}  {}", rows.empty() ? "" : ",\n", row(device, ladder, rung, block));
        }
      }
    }
  }
  fmt::print("{{\"rows\": [\n{}\n]}}\n", rows);
}

}  // namespace
}  // namespace impasto::bench::emulated

int main() { impasto::bench::emulated::print(); }
