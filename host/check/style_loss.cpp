// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

namespace impasto {
namespace {

std::vector<OpCase> style_loss_cases(const Shape& map, std::int64_t /*out_channels*/,
                                     DataType /*storage*/) {
  const double shared = work::matrices({.channels = map.channels});  // the target, one for a batch
  std::vector<OpCase> cases;
  for (const bool in_place : {false, true}) {
    cases.push_back(
        {.variant = in_place ? "in place" : "beside G",
         .measured = !in_place,
         .work = {.flops = 4 * work::matrices(map), .bytes = 8 * work::matrices(map) + 4 * shared},
         .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
           const Shape square = matrix_shape(map.batch, map.channels);
           const Tensor loss = bench.master_output({.batch = map.batch});
           const Tensor gram = bench.symmetric(square, 8);
           const Tensor matrix = in_place ? gram : bench.master_output(square);
           const Tensor target = bench.symmetric(matrix_shape(1, map.channels), 5);
           const StyleLossScale scale{.gram = 0.5, .loss = 0.25, .gradient = 0.125};
           return {[=, &on] { on.style_loss(loss, matrix, gram, target, scale); },
                   {loss, matrix, gram, target},
                   2};
         }});
  }
  return cases;
}

}  // namespace

std::vector<Operation> style_loss_operations() {
  return {{.name = "style_loss", .layers = style_loss_layers(), .cases = style_loss_cases}};
}

}  // namespace impasto
