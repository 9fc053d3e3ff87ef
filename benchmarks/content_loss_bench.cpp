// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

namespace impasto::bench {

std::vector<MeasuredOp> content_loss_ops() {
  const auto prepare = [](Backend& on, const Shape& map) {
    const OwnedTensor f = features(on, map, 1.0);
    const OwnedTensor target = features(on, map, 0.5);
    const OwnedTensor grad(on, map, on.activation_type());
    const OwnedTensor loss(on, {.batch = map.batch}, on.master_type());
    return Prepared{[=, &on] { on.content_loss(loss, grad, f, target, {}, {}); }, {loss, grad}};
  };
  return {
      {.name = "content_loss",
       .layers = {"conv2_2", "conv4_2"},
       .work = [](const Shape& map, DataType type) { return work::content_loss(map, type, {}); },
       .prepare = prepare}};
}

}  // namespace impasto::bench
