// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

namespace impasto::bench {

/// On matrices, which are float in every precision.
std::vector<MeasuredOp> style_loss_ops() {
  const auto prepare = [](Backend& on, const Shape& map) {
    const Shape matrices = matrix_shape(map.batch, map.channels);
    const DataType type = on.master_type();
    const OwnedTensor gram = uniform(on, matrices, type, 1.0);
    const OwnedTensor target = uniform(on, matrix_shape(1, map.channels), type, 0.5);
    const OwnedTensor matrix(on, matrices, type);
    const OwnedTensor loss(on, {.batch = map.batch}, type);
    return Prepared{[=, &on] { on.style_loss(loss, matrix, gram, target, {}); }, {loss, matrix}};
  };
  return {
      {.name = "style_loss",
       .layers = at_style_layers(),
       .float_only = true,
       .work = [](const Shape& map, DataType) { return work::style_loss(map.channels, map.batch); },
       .prepare = prepare}};
}

}  // namespace impasto::bench
