// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

namespace impasto::bench {

std::vector<MeasuredOp> total_variation_ops() {
  const auto prepare = [](Backend& on, const Shape& shape) {
    const DataType type = on.master_type();
    const OwnedTensor pixels = uniform(on, shape, type, 128);
    const OwnedTensor grad = uniform(on, shape, type);
    const OwnedTensor loss(on, {.batch = shape.batch}, type);
    const VariationScale scale{.loss = 1, .gradient = 1e-3};  // it adds to grad every time
    return Prepared{[=, &on] { on.total_variation(loss, grad, pixels, scale); }, {loss, grad}};
  };
  return {{.name = "total_variation",
           .layers = {"pixels"},
           .float_only = true,
           .work = [](const Shape& shape, DataType) { return work::total_variation(shape); },
           .prepare = prepare}};
}

}  // namespace impasto::bench
