// SPDX-License-Identifier: MIT
// What each rung of the Gram ladder launches at VGG-19's style layers for a picture of 512×512, and
// what the threads of its first launch ask for, counted on few pixels: benchmarks/prediction.py
// works out times from it. Prints JSON.
#include <algorithm>
#include <cstdlib>
#include <fmt/ranges.h>
#include <span>
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

/// Gram matrices of one feature map, by any rung.
class GramOf {
 public:
  GramOf(const Device& device, const Operation& op, const Shape& map)
      : backend_(*device.backend),
        bench_(backend_, backend_.activation_type()),
        prepared_(op.cases(map, map.channels, backend_.activation_type())
                      .front()
                      .prepare(backend_, bench_)) {}

  /// What one run launches. With `stay` the kernels do nothing.
  std::vector<simt::LaunchCounts> launches(const kernels::Rung& rung,
                                           simt::Counter::Kernels kernels) {
    const kernels::ForcedRung forced("gram", rung.name);
    backend_.synchronize();
    simt::Counter counter(kernels);
    simt::Machine::get().set_counter(&counter);
    prepared_.run();
    backend_.synchronize();
    simt::Machine::get().set_counter(nullptr);
    return counter.launches();
  }

 private:
  Backend& backend_;
  Workbench bench_;
  Prepared prepared_;
};

/// A rung at conv<block>_1, as a line of JSON. L1 takes a request in a pass, or four of its sectors.
std::string row(const kernels::Rung& rung, Precision precision, int block, const Shape& map,
                const simt::LaunchCounts& counted,
                const std::vector<simt::LaunchCounts>& launches) {
  const auto per_pixel = [](std::uint64_t count) {
    return static_cast<double>(count) / (counted_side * counted_side);
  };
  std::string text = fmt::format(
      R"({{"name": "gram/{}/conv{}_1@{}/{}/batch:1", "pixels": {}, "channels": {}, )"
      R"("l1_passes_per_pixel": {:.6g}, "bytes_per_pixel": {:.6g}, "shared_passes_per_pixel": {:.6g}, )"
      R"("launches": [)",
      rung.name, block, side_of_picture, to_string(precision), map.pixels(), map.channels,
      std::max(per_pixel(counted.loads.requests), per_pixel(counted.loads.sectors) / 4),
      per_pixel(counted.loads.bytes), per_pixel(counted.shared_requests + counted.bank_conflicts));
  std::string_view comma;
  for (const simt::LaunchCounts& each : launches) {
    text += fmt::format(R"({}{{"kernel": "{}", "blocks": {}, "threads": {}, "shared_bytes": {}}})",
                        comma, each.kernel, each.blocks, each.threads, each.shared_bytes);
    comma = ", ";
  }
  return text + "]}";
}

/// The rows of these blocks of VGG-19.
void print(const std::vector<int>& blocks) {
  using enum simt::Counter::Kernels;
  const std::vector<Ladder> all = ladders();
  const Ladder& ladder =
      *std::ranges::find_if(all, [](const Ladder& each) { return each.op.name == "gram"; });
  std::vector<std::string> rows;
  for (const Precision precision : {Precision::bf16, Precision::fp32}) {
    const Device device(precision);
    for (const int block : blocks) {
      const std::int64_t side = side_of_picture >> (block - 1);
      const std::int64_t channels = std::int64_t{32} << std::min(block, 4);
      const Shape map{1, side, side, channels};
      GramOf small(device, ladder.op, {1, counted_side, counted_side, channels});
      GramOf whole(device, ladder.op, map);
      for (const kernels::Rung& rung : ladder.rungs.at(precision)) {
        const auto counted = small.launches(rung, run);
        rows.push_back(
            row(rung, precision, block, map, counted.front(), whole.launches(rung, stay)));
      }
    }
  }
  fmt::print("{{\"rows\": [\n  {}\n]}}\n", fmt::join(rows, ",\n  "));
}

}  // namespace
}  // namespace impasto::bench::emulated

/// usage: ladder_launches [BLOCK...], from 1 to 5; all without.
int main(int argc, char** argv) {
  std::vector<int> blocks;
  for (const char* argument : std::span(argv, static_cast<std::size_t>(argc)).subspan(1)) {
    blocks.push_back(std::clamp(std::atoi(argument), 1, 5));
  }
  if (blocks.empty()) blocks = {1, 2, 3, 4, 5};
  impasto::bench::emulated::print(blocks);
}
