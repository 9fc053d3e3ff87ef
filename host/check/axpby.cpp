// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

namespace impasto {
namespace {

std::vector<OpCase> axpby_cases(const Shape& pixels, std::int64_t /*out_channels*/,
                                DataType /*storage*/) {
  std::vector<OpCase> cases;
  for (const bool added : {true, false}) {
    cases.push_back({.variant = added ? "added" : "written",
                     .measured = added,
                     .work = {.flops = 3 * work::values(pixels),
                              .bytes = (added ? 12 : 8) * work::values(pixels)},
                     .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
                       const Tensor y =
                           added ? bench.master(pixels, 12) : bench.master_output(pixels);
                       const Tensor x = bench.master(pixels, 13);
                       return {[=, &on] { on.axpby(y, 0.7, x, added ? 1 : 0); }, {y, x}};
                     }});
  }
  return cases;
}

}  // namespace

std::vector<Operation> axpby_operations() {
  return {{.name = "axpby", .layers = {"pixels"}, .on_pixels = true, .cases = axpby_cases}};
}

}  // namespace impasto
