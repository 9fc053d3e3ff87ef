// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

namespace impasto::bench {

std::vector<MeasuredOp> gram_loss_ops() {
  const auto prepare = [](Backend& on, const Shape& map) {
    const DataType type = on.master_type();
    const OwnedTensor f = features(on, map);
    const OwnedTensor target = symmetric(on, matrix_shape(1, map.channels), 0.5);
    const OwnedTensor matrix(on, matrix_shape(map.batch, map.channels), type);
    const OwnedTensor loss(on, {.batch = map.batch}, type);
    return Prepared{[=, &on] { on.gram_loss(loss, matrix, f, target, {}); }, {loss, matrix}};
  };
  return {{.name = "gram_loss",
           .layers = at_style_layers(),
           .work = work::gram_loss,
           .prepare = prepare}};
}

}  // namespace impasto::bench
