// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

namespace impasto {
namespace {

Shape guide_of(const Shape& map) { return {1, map.height, map.width, 1}; }

/// Reads the map and the guide, which is one for the whole batch.
std::vector<OpCase> guide_forward_cases(const Shape& map, std::int64_t /*out_channels*/,
                                        DataType storage) {
  return {{.variant = "written",
           .measured = true,
           .work = {.flops = work::values(map),
                    .bytes = 2 * work::bytes(map, storage) + 4 * work::values(guide_of(map))},
           .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
             const Tensor y = bench.map_output(map);
             const Tensor x = bench.features(map, 1);
             const Tensor guide = bench.master(guide_of(map), 6, 0.3F, 0.5F);
             return {[=, &on] { on.guide_forward(y, x, guide); }, {y, x, guide}};
           }}};
}

std::vector<OpCase> guide_backward_cases(const Shape& map, std::int64_t /*out_channels*/,
                                         DataType storage) {
  std::vector<OpCase> cases;
  for (const GradientEpilogue& epilogue : epilogues) {
    const double moved = 2 + maps_read(epilogue);
    cases.push_back(
        {.variant = describe(epilogue),
         .measured = epilogue.accumulate && epilogue.relu_mask,
         .epilogue = epilogue,
         .work = {.flops = 2 * work::values(map),
                  .bytes = moved * work::bytes(map, storage) + 4 * work::values(guide_of(map))},
         .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
           const Tensor grad_x = bench.gradient_output(map, epilogue);
           const Tensor grad_y = bench.gradient(map, 5);
           const Tensor x = bench.features(map, 1);
           const Tensor guide = bench.master(guide_of(map), 6, 0.3F, 0.5F);
           return {[=, &on] { on.guide_backward(grad_x, grad_y, x, guide, epilogue); },
                   {grad_x, grad_y, x, guide}};
         }});
  }
  return cases;
}

}  // namespace

std::vector<Operation> guide_operations() {
  return {{.name = "guide_forward", .layers = style_loss_layers(), .cases = guide_forward_cases},
          {.name = "guide_backward", .layers = style_loss_layers(), .cases = guide_backward_cases}};
}

}  // namespace impasto
