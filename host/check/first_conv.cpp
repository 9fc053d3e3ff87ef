// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "host/check/operation.hpp"

// The map is y: the picture has its size and three channels.
namespace impasto {
namespace {

/// Of either direction: pixels and weights are float.
work::Work first_conv_work(const Shape& map, DataType storage) {
  const auto pixels = static_cast<double>(map.batch * map.pixels());
  const double weights = 27.0 * static_cast<double>(map.channels);
  return {.flops = 2 * weights * pixels,
          .bytes = 12 * pixels + work::bytes(map, storage) + 4 * weights};
}

std::vector<OpCase> first_conv_forward_cases(const Shape& map, std::int64_t /*out_channels*/,
                                             DataType storage) {
  return {{.variant = "ReLU",
           .measured = true,
           .work = first_conv_work(map, storage),
           .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
             const std::shared_ptr<Conv> conv = bench.conv(3, map.channels);
             const Tensor pixels = bench.master(with_channels(map, 3), 3, 60, 120);
             const Tensor y = bench.map_output(map);
             return {[=, &on] {
                       on.first_conv_forward(y, pixels, *conv, {123.68F, 116.779F, 103.939F}, true);
                     },
                     {y, pixels}};
           }}};
}

std::vector<OpCase> first_conv_backward_cases(const Shape& map, std::int64_t /*out_channels*/,
                                              DataType storage) {
  return {{.variant = "data gradient",
           .measured = true,
           .work = first_conv_work(map, storage),
           .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
             const std::shared_ptr<Conv> conv = bench.conv(3, map.channels);
             const Tensor grad_pixels = bench.master_output(with_channels(map, 3));
             const Tensor grad_y = bench.gradient(map, 2);
             return {[=, &on] { on.first_conv_backward(grad_pixels, grad_y, *conv); },
                     {grad_pixels, grad_y}};
           }}};
}

}  // namespace

std::vector<Operation> first_conv_operations() {
  return {
      {.name = "first_conv_forward", .layers = {"conv1_1"}, .cases = first_conv_forward_cases},
      {.name = "first_conv_backward", .layers = {"conv1_1"}, .cases = first_conv_backward_cases}};
}

}  // namespace impasto
