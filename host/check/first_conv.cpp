// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "host/check/operation.hpp"

// The map is y: the picture has its size and three channels.
namespace impasto {
namespace {

Shape picture_of(Shape map) {
  map.channels = 3;
  return map;
}

/// Of either direction: pixels and weights are float.
work::Work work_of(const Shape& map, DataType storage) {
  const auto pixels = static_cast<double>(map.batch * map.pixels());
  const double weights = 27.0 * static_cast<double>(map.channels);
  return {.flops = 2 * weights * pixels,
          .bytes = 12 * pixels + work::bytes(map, storage) + 4 * weights};
}

std::vector<OpCase> forward(const Shape& map, std::int64_t /*out_channels*/, DataType storage) {
  return {{.variant = "ReLU",
           .measured = true,
           .work = work_of(map, storage),
           .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
             const std::shared_ptr<Conv> conv = bench.conv(3, map.channels);
             const Tensor pixels = bench.master(picture_of(map), 3, 60, 120);
             const Tensor y = bench.map_output(map);
             return {[=, &on] {
                       on.first_conv_forward(y, pixels, *conv, {123.68F, 116.779F, 103.939F}, true);
                     },
                     {y, pixels}};
           }}};
}

std::vector<OpCase> backward(const Shape& map, std::int64_t /*out_channels*/, DataType storage) {
  return {{.variant = "data gradient",
           .measured = true,
           .work = work_of(map, storage),
           .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
             const std::shared_ptr<Conv> conv = bench.conv(3, map.channels);
             const Tensor grad_pixels = bench.master_output(picture_of(map));
             const Tensor grad_y = bench.gradient(map, 2);
             return {[=, &on] { on.first_conv_backward(grad_pixels, grad_y, *conv); },
                     {grad_pixels, grad_y}};
           }}};
}

}  // namespace

std::vector<Operation> first_conv_operations() {
  return {{.name = "first_conv_forward", .layers = {"conv1_1"}, .cases = forward},
          {.name = "first_conv_backward", .layers = {"conv1_1"}, .cases = backward}};
}

}  // namespace impasto
