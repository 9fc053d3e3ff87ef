// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

namespace impasto {
namespace {

/// A rectangle in the middle of a map, as a tile's own part is between its halos.
struct Middle {
  Shape shape;
  kernels::Corner corner;
};
Middle middle_of(const Shape& map) {
  const auto inner = [](std::int64_t side) { return side - side / 4; };
  return {{map.batch, inner(map.height), inner(map.width), map.channels},
          {map.height / 8, map.width / 8}};
}

std::vector<OpCase> crop_forward_cases(const Shape& map, std::int64_t /*out_channels*/,
                                       DataType storage) {
  const Middle middle = middle_of(map);
  return {{.variant = "written",
           .measured = true,
           .work = {.flops = 0, .bytes = 2 * work::bytes(middle.shape, storage)},
           .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
             const Tensor y = bench.map_output(middle.shape);
             const Tensor x = bench.features(map, 1);
             return {[=, &on] { on.crop_forward(y, x, middle.corner); }, {y, x}};
           }}};
}

std::vector<OpCase> crop_backward_cases(const Shape& map, std::int64_t /*out_channels*/,
                                        DataType storage) {
  const Middle middle = middle_of(map);
  std::vector<OpCase> cases;
  for (const GradientEpilogue& epilogue : epilogues) {
    const bool changes_rest = !epilogue.accumulate || epilogue.relu_mask;
    const Shape& changed = changes_rest ? map : middle.shape;
    cases.push_back(
        {.variant = describe(epilogue),
         .measured = !epilogue.accumulate && epilogue.relu_mask,
         .epilogue = epilogue,
         .work = {.flops = work::values(middle.shape),
                  .bytes = work::bytes(middle.shape, storage) +
                           (1 + maps_read(epilogue)) * work::bytes(changed, storage)},
         .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
           const Tensor grad_x = bench.gradient_output(map, epilogue);
           const Tensor grad_y = bench.gradient(middle.shape, 5);
           const Tensor x = bench.features(map, 1);
           return {[=, &on] { on.crop_backward(grad_x, grad_y, x, middle.corner, epilogue); },
                   {grad_x, grad_y, x}};
         }});
  }
  return cases;
}

}  // namespace

std::vector<Operation> crop_operations() {
  return {{.name = "crop_forward", .layers = style_loss_layers(), .cases = crop_forward_cases},
          {.name = "crop_backward", .layers = style_loss_layers(), .cases = crop_backward_cases}};
}

}  // namespace impasto
