// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

namespace impasto::bench {

std::vector<MeasuredOp> adam_ops() {
  const auto prepare = [](Backend& on, const Shape& shape) {
    const DataType type = on.master_type();
    const OwnedTensor pixels = uniform(on, shape, type, 128);
    const OwnedTensor grad = uniform(on, shape, type);
    const OwnedTensor m(on, shape, type);
    const OwnedTensor v(on, shape, type);
    const OwnedTensor step(on, {}, DataType::i64);
    for (const Tensor& tensor : {m.tensor, v.tensor, step.tensor}) on.fill_zero(tensor);
    return Prepared{[=, &on] { on.adam(pixels, m, v, step, grad, AdamOptions{}); }, {pixels, m, v}};
  };
  return {{.name = "adam",
           .layers = {"pixels"},
           .float_only = true,
           .work = [](const Shape& shape, DataType) { return work::adam(shape); },
           .prepare = prepare}};
}

}  // namespace impasto::bench
