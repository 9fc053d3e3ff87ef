// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

// The map is the first feature map: the picture has its size and three channels.
namespace impasto {
namespace {

std::vector<OpCase> first_conv_gram_loss_cases(const Shape& map, std::int64_t /*out_channels*/,
                                               DataType storage) {
  const Shape picture = with_channels(map, 3);
  const auto channels = static_cast<double>(map.channels);
  const double matrices = work::matrices(map);
  const double shared = channels * channels;  // the target, of which a batch has one
  return {{.measured = true,
           .work = {.flops = (2 * channels + 54) * work::values(map) + 4 * matrices,
                    .bytes = work::bytes(map, storage) + 4 * work::values(picture) +
                             work::width(style_matrix_type(storage, DataType::f32)) * matrices +
                             4 * shared + 4 * 28 * channels},
           .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
             const std::shared_ptr<Conv> conv = bench.conv(3, map.channels);
             const Tensor y = bench.map_output(map);
             const Tensor loss = bench.master_output({.batch = map.batch});
             const Tensor matrix = bench.style_matrix_output(matrix_shape(map.batch, map.channels));
             const Tensor pixels = bench.master(picture, 1, 1, 120);
             const Tensor target = bench.symmetric(matrix_shape(1, map.channels), 5);
             const StyleLossScale scale{
                 .gram = 1 / static_cast<double>(map.pixels()), .loss = 0.25, .gradient = 0.125};
             return {[=, &on] {
                       on.first_conv_gram_loss(y, loss, matrix, pixels, *conv, {120, 120, 120},
                                               target, scale);
                     },
                     {y, loss, matrix, pixels, target},
                     3};
           }}};
}

}  // namespace

std::vector<Operation> first_conv_gram_loss_operations() {
  return {
      {.name = "first_conv_gram_loss", .layers = {"conv1_1"}, .cases = first_conv_gram_loss_cases}};
}

}  // namespace impasto
