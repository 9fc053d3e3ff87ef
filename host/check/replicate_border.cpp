// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

// The map is y: the picture has its size and three channels. Both change the border of what is
// there already.
namespace impasto {
namespace {

/// Of either direction: what first_conv needs for the border alone.
work::Work replicate_border_work(const Shape& map, DataType storage) {
  const auto border = static_cast<double>(map.batch * kernels::border_count(map.height, map.width));
  const auto channels = static_cast<double>(map.channels);
  return {.flops = 54 * channels * border,
          .bytes = 12 * border + work::width(storage) * channels * border + 108 * channels};
}

constexpr GradientEpilogue holds_values{.accumulate = true};

std::vector<OpCase> replicate_border_forward_cases(const Shape& map, std::int64_t /*out_channels*/,
                                                   DataType storage) {
  return {
      {.variant = "ReLU",
       .measured = true,
       .work = replicate_border_work(map, storage),
       .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
         const std::shared_ptr<Conv> conv = bench.conv(3, map.channels);
         const Tensor pixels = bench.master(with_channels(map, 3), 3, 60, 120);
         const Tensor y = bench.gradient_output(map, holds_values, 80);
         return {
             [=, &on] {
               on.replicate_border_forward(y, pixels, *conv, {123.68F, 116.779F, 103.939F}, true);
             },
             {y, pixels}};
       }}};
}

std::vector<OpCase> replicate_border_backward_cases(const Shape& map, std::int64_t /*out_channels*/,
                                                    DataType storage) {
  return {{.variant = "data gradient",
           .measured = true,
           .work = replicate_border_work(map, storage),
           .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
             const std::shared_ptr<Conv> conv = bench.conv(3, map.channels);
             const Tensor grad_pixels = bench.master(with_channels(map, 3), 1);
             const Tensor grad_y = bench.gradient(map, 2);
             return {[=, &on] { on.replicate_border_backward(grad_pixels, grad_y, *conv); },
                     {grad_pixels, grad_y}};
           }}};
}

}  // namespace

std::vector<Operation> replicate_border_operations() {
  return {{.name = "replicate_border_forward",
           .layers = {"conv1_1"},
           .cases = replicate_border_forward_cases},
          {.name = "replicate_border_backward",
           .layers = {"conv1_1"},
           .cases = replicate_border_backward_cases}};
}

}  // namespace impasto
