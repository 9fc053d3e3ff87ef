// SPDX-License-Identifier: MIT
#include <limits>

#include "host/check/operation.hpp"

namespace impasto {
namespace {

/// A ReLU by itself, on a feature map, and a box constraint.
std::vector<OpCase> clamp_cases(const Shape& map, std::int64_t /*out_channels*/, DataType storage) {
  std::vector<OpCase> cases;
  for (const bool relu : {true, false}) {
    cases.push_back({.variant = relu ? "from 0" : "both bounds",
                     .measured = relu,
                     .work = {.bytes = 2 * work::bytes(map, storage)},
                     .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
                       const Tensor y = bench.map_output(map);
                       const Tensor x = bench.gradient(map, 1);
                       const double highest = relu ? std::numeric_limits<double>::infinity() : 0.75;
                       return {[=, &on] { on.clamp(y, x, relu ? 0 : -0.5, highest); }, {y, x}};
                     }});
  }
  return cases;
}

}  // namespace

std::vector<Operation> clamp_operations() {
  return {{.name = "clamp", .layers = {"conv2_2", "conv4_2"}, .cases = clamp_cases}};
}

}  // namespace impasto
