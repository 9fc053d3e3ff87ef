// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

namespace impasto {
namespace {

/// The work of gram and style_loss without the matrix between them, which is neither written nor
/// read.
std::vector<OpCase> gram_loss_cases(const Shape& map, std::int64_t /*out_channels*/,
                                    DataType storage) {
  const double channels = static_cast<double>(map.channels);
  const double matrices = work::matrices(map);
  const double shared = channels * channels;  // the target, of which a batch has one
  return {{.measured = true,
           .work = {.flops = 2 * channels * work::values(map) + 4 * matrices,
                    .bytes = work::bytes(map, storage) +
                             work::width(style_matrix_type(storage, DataType::f32)) * matrices +
                             4 * shared},
           .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
             const Tensor loss = bench.master_output({.batch = map.batch});
             const Tensor matrix = bench.style_matrix_output(matrix_shape(map.batch, map.channels));
             const Tensor features = bench.features(map, 1);
             const Tensor target = bench.symmetric(matrix_shape(1, map.channels), 5);
             const StyleLossScale scale{
                 .gram = 1 / static_cast<double>(map.pixels()), .loss = 0.25, .gradient = 0.125};
             return {[=, &on] { on.gram_loss(loss, matrix, features, target, scale); },
                     {loss, matrix, features, target},
                     2};
           }}};
}

}  // namespace

std::vector<Operation> gram_loss_operations() {
  return {{.name = "gram_loss", .layers = style_loss_layers(), .cases = gram_loss_cases}};
}

}  // namespace impasto
