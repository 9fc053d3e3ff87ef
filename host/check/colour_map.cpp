// SPDX-License-Identifier: MIT
#include "kernels/colour_map/colour_map.hpp"

#include "host/check/operation.hpp"

namespace impasto {
namespace {

std::vector<OpCase> colour_map_cases(const Shape& pixels, std::int64_t /*out_channels*/,
                                     DataType /*storage*/) {
  std::vector<OpCase> cases;
  for (const bool accumulate : {false, true}) {
    cases.push_back(
        {.variant = accumulate ? "added" : "written",
         .measured = accumulate,
         .work = {.flops = 6 * work::values(pixels),
                  .bytes = (accumulate ? 12 : 8) * work::values(pixels)},
         .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
           const Tensor y = accumulate ? bench.master(pixels, 12) : bench.master_output(pixels);
           const Tensor x = bench.master(pixels, 13);
           return {[=, &on] { on.colour_map(y, x, kernels::decorrelated_to_rgb, accumulate); },
                   {y, x}};
         }});
  }
  return cases;
}

}  // namespace

std::vector<Operation> colour_map_operations() {
  return {
      {.name = "colour_map", .layers = {"pixels"}, .on_pixels = true, .cases = colour_map_cases}};
}

}  // namespace impasto
