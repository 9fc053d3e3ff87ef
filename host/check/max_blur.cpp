// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

// The map is x, which is pooled.
namespace impasto {
namespace {

std::vector<OpCase> max_blur_forward_cases(const Shape& map, std::int64_t /*out_channels*/,
                                           DataType storage) {
  const Shape small = kernels::max_blurred(map);
  if (small.pixels() == 0) return {};
  return {{.measured = true,
           .work = {.flops = work::values(map),
                    .bytes = work::bytes(map, storage) + work::bytes(small, storage)},
           .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
             const Tensor x = bench.features(map, 1);
             const Tensor y = bench.map_output(small);
             return {[=, &on] { on.max_blur_forward(y, x); }, {y, x}};
           }}};
}

std::vector<OpCase> max_blur_backward_cases(const Shape& map, std::int64_t /*out_channels*/,
                                            DataType storage) {
  const Shape small = kernels::max_blurred(map);
  if (small.pixels() == 0) return {};
  std::vector<OpCase> cases;
  for (const GradientEpilogue& epilogue : epilogues) {
    const double maps = 2 + (epilogue.accumulate ? 1 : 0);
    cases.push_back(
        {.variant = describe(epilogue),
         .measured = !epilogue.accumulate && epilogue.relu_mask,
         .epilogue = epilogue,
         .work = {.flops = work::values(map),
                  .bytes = maps * work::bytes(map, storage) + work::bytes(small, storage)},
         .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
           const Tensor grad_x = bench.gradient_output(map, epilogue);
           const Tensor grad_y = bench.gradient(small, 2);
           const Tensor x = bench.features(map, 1);
           return {[=, &on] { on.max_blur_backward(grad_x, grad_y, x, epilogue); },
                   {grad_x, grad_y, x}};
         }});
  }
  return cases;
}

const std::vector<std::string_view> blurred_layers = {"conv1_2", "conv2_2", "conv3_3", "conv4_3"};

}  // namespace

std::vector<Operation> max_blur_operations() {
  return {
      {.name = "max_blur_forward", .layers = blurred_layers, .cases = max_blur_forward_cases},
      {.name = "max_blur_backward", .layers = blurred_layers, .cases = max_blur_backward_cases}};
}

}  // namespace impasto
