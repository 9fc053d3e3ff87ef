// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

namespace impasto {
namespace {

/// The norm is as large as the number of values, so that what is added is of deviation 1.
std::vector<OpCase> normalize_gradient_cases(const Shape& map, std::int64_t /*out_channels*/,
                                             DataType storage) {
  std::vector<OpCase> cases;
  for (const GradientEpilogue& epilogue : epilogues) {
    const double moved = 2 + maps_read(epilogue);
    cases.push_back(
        {.variant = describe(epilogue),
         .measured = epilogue.accumulate && epilogue.relu_mask,
         .epilogue = epilogue,
         .work = {.flops = 4 * work::values(map), .bytes = moved * work::bytes(map, storage)},
         .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
           const Tensor grad_x = bench.gradient_output(map, epilogue);
           const Tensor g = bench.gradient(map, 5, 0.1F);
           const Tensor x = bench.features(map, 1);
           const GradientNorm to{.norm = static_cast<double>(map.pixels() * map.channels)};
           return {[=, &on] { on.normalize_gradient(grad_x, g, x, to, epilogue); }, {grad_x, g, x}};
         }});
  }
  return cases;
}

}  // namespace

std::vector<Operation> normalize_gradient_operations() {
  return {{.name = "normalize_gradient",
           .layers = style_loss_layers(),
           .cases = normalize_gradient_cases}};
}

}  // namespace impasto
